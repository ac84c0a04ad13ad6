import { expect, it } from "vitest";
import { elapsed, elapsedWords } from "./clock";

it("counts hours only when there are some", () => {
  expect(elapsed(0)).toBe("0:00");
  expect(elapsed(65_999)).toBe("1:05");
  expect(elapsed(3_723_000)).toBe("1:02:03");
});

it("never runs backwards into negative numbers", () => {
  expect(elapsed(-5000)).toBe("0:00");
});

it("is spoken in whole words", () => {
  expect(elapsedWords(0)).toBe("0 seconds");
  expect(elapsedWords(3_661_000)).toBe("1 hour, 1 minute, 1 second");
  expect(elapsedWords(120_000)).toBe("2 minutes");
});
