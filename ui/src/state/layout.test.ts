import { describe, expect, it } from "vitest";
import { gallery, type Box } from "./layout";

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

describe("the gallery", () => {
  it("is empty without people or without room", () => {
    expect(gallery(0, 800, 600, 8)).toEqual([]);
    expect(gallery(3, 0, 600, 8)).toEqual([]);
  });

  it("gives one person the whole area, centred", () => {
    expect(gallery(1, 1600, 1000, 8)).toEqual([{ x: 0, y: 50, w: 1600, h: 900 }]);
  });

  it("puts two beside each other in a wide area and below each other in a tall one", () => {
    const [a, b] = gallery(2, 1200, 500, 8);
    expect(a?.y).toBe(b?.y);
    const [c, d] = gallery(2, 500, 1200, 8);
    expect(c?.x).toBe(d?.x);
  });

  it("shrinks its tiles rather than lose some beyond the edge", () => {
    const boxes = gallery(6, 320, 200, 8);
    expect(boxes.every(({ y, h }) => y >= 0 && y + h <= 200)).toBe(true);
  });

  it("centres what is left over in the last row", () => {
    const [first, , third] = gallery(3, 1200, 800, 8);
    expect(third?.x).toBeGreaterThan(first?.x ?? 0);
  });

  it.each(Array.from({ length: 25 }, (_, index) => index + 1))(
    "keeps %i tiles apart and inside",
    (count) => {
      const boxes = gallery(count, 1240, 640, 8);
      expect(boxes).toHaveLength(count);
      for (const [index, box] of boxes.entries()) {
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.y).toBeGreaterThanOrEqual(0);
        expect(box.x + box.w).toBeLessThanOrEqual(1240);
        expect(box.y + box.h).toBeLessThanOrEqual(640);
        expect(boxes.slice(index + 1).some((other) => overlaps(box, other))).toBe(false);
      }
    },
  );
});
