import { expect, it } from "vitest";
import { addToast } from "./toast";

it("keeps the latest three", () => {
  const toasts = ["a", "b", "c", "d"].reduce(
    (list: ReturnType<typeof addToast>, text) => addToast(list, "info", text, 0),
    [],
  );
  expect(toasts.map(({ text }) => text)).toEqual(["b", "c", "d"]);
});

it("says the same thing once, for longer", () => {
  const once = addToast([], "warning", "slow", 0);
  const twice = addToast(once, "warning", "slow", 500);
  expect(twice).toHaveLength(1);
  expect(twice[0]?.until).toBe((once[0]?.until ?? 0) + 500);
  expect(twice[0]?.id).toBe(once[0]?.id);
});

it("leaves an error standing longer than news", () => {
  const [news] = addToast([], "info", "x", 0);
  const [error] = addToast([], "error", "x", 0);
  expect(error?.until).toBeGreaterThan(news?.until ?? 0);
});
