import { describe, expect, it } from "vitest";
import { EMPTY_FORM, type JoinForm } from "./join";
import { bringsPermission } from "./role";
import { initialState, reduce, type State } from "./state";

const joined = (change: Partial<JoinForm>): State => initialState({ ...EMPTY_FORM, ...change });

function switched(state: State, code: number): State {
  const data = { code, message: "No.", role: 21 as const };
  return reduce(state, { type: "event", event: { event: "onSwitchRole", data }, now: 1 });
}

describe("a fresh permission for another role", () => {
  it("is offered to those whom their application signs for, and to nobody else", () => {
    expect(bringsPermission(joined({ where: "server", userSig: "eJw" }))).toBe(true);
    expect(bringsPermission(joined({ where: "server", privateMapKey: "eJw" }))).toBe(true);
    expect(bringsPermission(joined({ where: "server", userSig: " ", passcode: "tea" }))).toBe(
      false,
    );
    expect(bringsPermission(joined({ where: "host", userSig: "eJw" }))).toBe(false);
  });

  it("is offered after a refusal for want of it, until a switch works or the room is left", () => {
    const refused = switched(joined({}), -100006);
    expect(bringsPermission(refused)).toBe(true);
    expect(bringsPermission(switched(refused, 0))).toBe(false);
    expect(bringsPermission(switched(joined({}), -3308))).toBe(false);
    const exit = { reason: 0, cause: "left", by: null, message: "" } as const;
    const left = reduce(refused, {
      type: "event",
      event: { event: "onExitRoom", data: exit },
      now: 1,
    });
    expect(bringsPermission(left)).toBe(false);
  });
});
