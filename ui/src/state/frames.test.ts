import { describe, expect, it } from "vitest";
import { readFrames } from "./frames";

/** Numbers of four bytes, lists of single bytes and texts, one behind the other. */
function bytes(...parts: (number | number[] | string)[]): ArrayBuffer {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part === "number") return [part & 255, (part >> 8) & 255, (part >> 16) & 255, 0];
      return typeof part === "string" ? [...new TextEncoder().encode(part)] : part;
    }),
  ).buffer;
}

const PICTURE = [1, 2, 3, 4, 5, 6, 7, 8, 20, 21, 30, 31];
const ANSWER = bytes(7, 3, 0, 4, 2, PICTURE, 3, 0, 0, "ada", 3, 2, 2, "é.", [9, 9, 9, 9, 1, 2]);

describe("an answer with frames", () => {
  it("has a number, and a picture or none for each tile", () => {
    const frames = readFrames(ANSWER);
    expect(frames?.number).toBe(7);
    expect(frames?.tiles.map(({ id }) => id)).toEqual(["", "ada", "é."]);
    const [own, ada, other] = frames?.tiles ?? [];
    expect(own?.picture).toMatchObject({ width: 4, height: 2 });
    expect([...(own?.picture?.y ?? [])]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...(own?.picture?.u ?? [])]).toEqual([20, 21]);
    expect([...(own?.picture?.v ?? [])]).toEqual([30, 31]);
    expect(ada?.picture).toBeNull();
    expect([...(other?.picture?.v ?? [])]).toEqual([2]);
  });

  it("may have no tiles", () => {
    expect(readFrames(bytes(1, 0))).toEqual({ number: 1, tiles: [] });
  });

  it("is refused when it is cut off anywhere", () => {
    for (let length = 0; length < ANSWER.byteLength; length++) {
      expect(readFrames(ANSWER.slice(0, length)), `${length} bytes`).toBeNull();
    }
  });

  it("is refused when its sizes make no sense", () => {
    expect(readFrames(bytes(1, 1, 0, 3, 2, PICTURE))).toBeNull();
    expect(readFrames(bytes(1, 1, 0, 0xffffff, 0xfffffe, PICTURE))).toBeNull();
    expect(readFrames(bytes(1, 0xffffff))).toBeNull();
  });
});
