import { describe, expect, it } from "vitest";
import type { Event } from "../types/Event";
import {
  checkCmdId,
  dataOf,
  missedWords,
  withMissed,
  withReceived,
  type Message,
} from "./messages";
import { initialState, reduce } from "./state";

const came = (data: string, seq = 1) => ({ userId: "bo", cmdId: 3, seq, data });

describe("messages of the app's own", () => {
  it("are text where they can be read as it, and base64 else", () => {
    const [text] = withReceived([], came(dataOf("Tee für 2 👋")));
    expect(text).toMatchObject({ kind: "came", said: "Tee für 2 👋", isText: true });
    const [bytes] = withReceived([], came("/w=="));
    expect(bytes).toMatchObject({ kind: "came", said: "/w==", isText: false });
    const [nothing] = withReceived([], came(""));
    expect(nothing).toMatchObject({ said: "", isText: true });
  });

  it("are listed the newest first, each under a number of its own, and not without end", () => {
    let list: readonly Message[] = [];
    for (let seq = 1; seq <= 250; seq++) list = withReceived(list, came(dataOf("x"), seq));
    list = withMissed(list, { userId: "bo", cmdId: 3, code: -1, missed: 2 });
    expect(list).toHaveLength(200);
    expect(list[0]).toEqual({ id: 251, kind: "missed", userId: "bo", cmdId: 3, missed: 2 });
    expect(list[1]).toMatchObject({ seq: 250 });
    expect(new Set(list.map(({ id }) => id)).size).toBe(200);
  });

  it("have an id from 1 to 10", () => {
    for (const good of ["1", "10", " 7 "]) expect(checkCmdId(good)).toBeNull();
    for (const wrong of ["", "0", "11", "1.5", "-1", "x"]) {
      expect(checkCmdId(wrong)).toBe("A message has an id from 1 to 10.");
    }
  });

  it("that never came are told in words", () => {
    expect(missedWords(1, 3, "Bo")).toBe("One message of Bo with id 3 never came.");
    expect(missedWords(2, 3, "Bo")).toBe("2 messages of Bo with id 3 never came.");
  });

  it("are forgotten with the room, when it is left or another takes its place", () => {
    const after = (state: ReturnType<typeof initialState>, event: Event) =>
      reduce(state, { type: "event", event, now: 1 });
    const some = after(initialState(), { event: "onRecvCustomCmdMsg", data: came("") });
    expect(some.messages).toHaveLength(1);
    const stayed = after(some, { event: "onSwitchRoom", data: { code: -3, message: "No." } });
    expect(stayed.messages).toHaveLength(1);
    const moved = after(some, { event: "onSwitchRoom", data: { code: 0, message: "" } });
    expect(moved.messages).toEqual([]);
    const exit = { reason: 0, cause: "left", by: null, message: "" } as const;
    expect(after(some, { event: "onExitRoom", data: exit }).messages).toEqual([]);
  });
});
