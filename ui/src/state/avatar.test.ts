import { expect, it } from "vitest";
import { hueOf, HUES, initials } from "./avatar";

it.each([
  ["Ada Lovelace", "AL"],
  ["ada", "A"],
  ["Jean-Luc van der Meer", "JM"],
  ["user_42", "U4"],
  ["李 雷", "李雷"],
  ["(guest)", "G"],
  ["  ", "?"],
])("shortens %j to %j", (name, letters) => {
  expect(initials(name)).toBe(letters);
});

it("gives a person the same colour every time, and people several", () => {
  const hues = Array.from({ length: 50 }, (_, index) => hueOf(`user-${index}`));
  expect(hueOf("user-7")).toBe(hues[7]);
  expect(new Set(hues).size).toBe(HUES);
});
