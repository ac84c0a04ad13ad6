import { describe, expect, it } from "vitest";
import type { AppState } from "../types/AppState";
import { EMPTY_FORM, type JoinForm } from "./join";
import { choicesForAll, mutedWords, NOTHING_MUTED, receivingNote, type Muted } from "./receiving";
import { IDLE, initialState, reduce } from "./state";

const ALL_MUTED: Muted = { voices: true, pictures: true };

/** A meeting with people of whom so much is muted. */
function app(others: readonly { audioMuted: boolean; videoMuted: boolean }[], scene: 0 | 2 = 0) {
  const state: AppState = {
    ...IDLE,
    phase: "in",
    room: {
      server: "s",
      sdkAppId: 1,
      roomId: 5,
      strRoomId: null,
      scene,
      role: 20,
      userId: "me",
      name: "Me",
      enteredAt: 1,
    },
    participants: others.map((mutes, index) => ({
      userId: `u${index}`,
      name: "",
      role: 20,
      videoAvailable: true,
      audioAvailable: true,
      screenAvailable: false,
      videoSize: null,
      audioLevel: 0,
      speaking: false,
      ...mutes,
    })),
  };
  return state;
}

const open = { audioMuted: false, videoMuted: false };
const closed = { audioMuted: true, videoMuted: true };

describe("what I receive of everybody", () => {
  const labels = (state: AppState, muted: Muted) =>
    choicesForAll(state, muted).map(({ label }) => label);

  it("is muted as long as something comes, and comes back as long as something is muted", () => {
    expect(labels(app([open, open]), NOTHING_MUTED)).toEqual(["Hear nobody", "Show no pictures"]);
    expect(labels(app([closed, closed]), ALL_MUTED)).toEqual([
      "Hear everybody",
      "Show all pictures",
    ]);
    const both = ["Hear nobody", "Hear everybody", "Show no pictures", "Show all pictures"];
    expect(labels(app([open, closed]), NOTHING_MUTED)).toEqual(both);
    expect(labels(app([open, closed]), ALL_MUTED)).toEqual(both);
  });

  it("has its way back while nobody else is there", () => {
    expect(labels(app([]), ALL_MUTED)).toEqual(["Hear everybody", "Show all pictures"]);
    expect(labels(IDLE, ALL_MUTED)).toEqual([]);
  });

  it("is about voices only where there are no pictures", () => {
    expect(labels(app([open], 2), NOTHING_MUTED)).toEqual(["Hear nobody"]);
    expect(mutedWords(app([open], 2), ALL_MUTED)).toBe("Muted for you");
    expect(mutedWords(app([open]), ALL_MUTED)).toBe("Muted for you · Pictures hidden");
    expect(mutedWords(app([open]), NOTHING_MUTED)).toBe("");
  });

  it("is forgotten when the room is left", () => {
    const muted = reduce(initialState(), { type: "all-muted", what: "voices", muted: true });
    expect(muted.muted).toEqual({ voices: true, pictures: false });
    const data = { reason: 0, cause: "left", by: null, message: "" } as const;
    const left = reduce(muted, { type: "event", event: { event: "onExitRoom", data }, now: 1 });
    expect(left.muted).toEqual(NOTHING_MUTED);
  });
});

describe("the note on the form", () => {
  const note = (change: Partial<JoinForm>) => receivingNote({ ...EMPTY_FORM, ...change });

  it("says what does not come by itself", () => {
    expect(note({})).toBeNull();
    expect(note({ receiveAudio: false })).toMatch(/^You hear nobody until/);
    expect(note({ receiveVideo: false })).toMatch(/^You see nobody until/);
    expect(note({ receiveAudio: false, receiveVideo: false })).toMatch(/^You hear and see nobody/);
    expect(note({ receiveVideo: false, scene: 2 })).toBeNull();
    expect(note({ receiveAudio: false, receiveVideo: false, scene: 3 })).toMatch(
      /^You hear nobody/,
    );
  });
});
