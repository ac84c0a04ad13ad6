import { expect, it } from "vitest";
import { addToast, withoutDevice, type Toast } from "./toast";

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

it("leaves an error standing until it is closed, and a warning longer than news", () => {
  const until = (kind: Toast["kind"]) => addToast([], kind, "x", 0)[0]?.until;
  expect(until("error")).toBeNull();
  expect(until("warning")).toBeGreaterThan(until("info") ?? 0);
});

it("lets news go before complaints when there is no room", () => {
  const said = [
    ["error", "e1"],
    ["info", "n1"],
    ["warning", "w1"],
    ["info", "n2"],
    ["info", "n3"],
    ["error", "e2"],
    ["error", "e3"],
  ] as const;
  let toasts: readonly Toast[] = [];
  const shown = said.map(([kind, text]) => {
    toasts = addToast(toasts, kind, text, 0);
    return toasts.map((toast) => toast.text).join(" ");
  });
  expect(shown).toEqual([
    "e1",
    "e1 n1",
    "e1 n1 w1",
    "e1 w1 n2",
    "e1 w1 n3",
    "e1 w1 e2",
    "e1 e2 e3",
  ]);
});

it("takes back what it said about a device that works again, and nothing else", () => {
  const camera = addToast([], "error", "no camera", 0, "camera");
  const both = addToast(camera, "error", "no microphone", 0, "microphone");
  expect(withoutDevice(both, "camera").map(({ text }) => text)).toEqual(["no microphone"]);
  expect(withoutDevice(camera, "microphone")).toBe(camera);
});
