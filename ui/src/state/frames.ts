/** A picture as three planes: brightness, and two of colour with half the sides. */
export type Planes = {
  width: number;
  height: number;
  y: Uint8Array<ArrayBuffer>;
  u: Uint8Array<ArrayBuffer>;
  v: Uint8Array<ArrayBuffer>;
};

/** What came for the page to draw. */
type Frames = {
  /** What to ask with the next time. */
  number: number;
  /** Who has another picture now, or none any more. */
  tiles: readonly { id: string; picture: Planes | null }[];
};

/** Reads an answer of the backend; null when it is cut off or makes no sense. */
export function readFrames(bytes: ArrayBuffer): Frames | null {
  const view = new DataView(bytes);
  let at = 0;
  const left = () => bytes.byteLength - at;
  const word = () => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const take = (length: number) => {
    at += length;
    return new Uint8Array(bytes, at - length, length);
  };
  if (left() < 8) return null;
  const number = word();
  const count = word();
  const tiles: { id: string; picture: Planes | null }[] = [];
  for (let tile = 0; tile < count; tile++) {
    if (left() < 12) return null;
    const [name, width, height] = [word(), word(), word()];
    const luma = width * height;
    if (width % 2 !== 0 || height % 2 !== 0 || left() < name + luma * 1.5) return null;
    const id = new TextDecoder().decode(take(name));
    const picture =
      luma === 0 ? null : { width, height, y: take(luma), u: take(luma / 4), v: take(luma / 4) };
    tiles.push({ id, picture });
  }
  return { number, tiles };
}
