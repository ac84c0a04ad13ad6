export type Box = { x: number; y: number; w: number; h: number };

const ASPECT = 16 / 9;

/**
 * Places `count` tiles of 16:9 in rows, as large as the area allows; the last row is centred.
 * Units are whole pixels of the area, whose corner is 0, 0.
 */
export function gallery(count: number, width: number, height: number, gap: number): Box[] {
  if (count < 1 || width <= 0 || height <= 0) return [];
  const columns = bestColumns(count, width, height, gap);
  const rows = Math.ceil(count / columns);
  const [w, h] = tileSize(columns, rows, width, height, gap);
  const top = (height - (rows * h + (rows - 1) * gap)) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = (width - (inRow * w + (inRow - 1) * gap)) / 2;
    return {
      x: Math.round(left + (index % columns) * (w + gap)),
      y: Math.round(top + row * (h + gap)),
      w,
      h,
    };
  });
}

function bestColumns(count: number, width: number, height: number, gap: number): number {
  let best = 1;
  let widest = 0;
  for (let columns = 1; columns <= count; columns++) {
    const [w] = tileSize(columns, Math.ceil(count / columns), width, height, gap);
    if (w > widest) {
      widest = w;
      best = columns;
    }
  }
  return best;
}

function tileSize(
  columns: number,
  rows: number,
  width: number,
  height: number,
  gap: number,
): [number, number] {
  const byWidth = (width - (columns - 1) * gap) / columns;
  const byHeight = ((height - (rows - 1) * gap) / rows) * ASPECT;
  const w = Math.max(1, Math.floor(Math.min(byWidth, byHeight)));
  return [w, Math.max(1, Math.floor(w / ASPECT))];
}
