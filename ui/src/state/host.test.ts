import { describe, expect, it } from "vitest";
import type { AppState } from "../types/AppState";
import type { RoomState } from "../types/RoomState";
import { choicesFor, hostWords, roomTools, standingIn } from "./host";
import { IDLE } from "./state";

const ROOM_STATE: RoomState = {
  owner: "me",
  coHosts: ["co"],
  locked: false,
  waitingRoom: true,
  mutedAll: false,
  forbidden: [],
  banned: [],
  audience: 0,
};

function person(userId: string) {
  return {
    userId,
    name: userId.toUpperCase(),
    role: 20 as const,
    videoAvailable: true,
    audioAvailable: true,
    screenAvailable: false,
    videoSize: null,
    audioLevel: 0,
    speaking: false,
    videoMuted: false,
    audioMuted: false,
  };
}

function app(change: Partial<RoomState> = {}): AppState {
  return {
    ...IDLE,
    phase: "in",
    room: {
      server: "s",
      sdkAppId: 1,
      roomId: 5,
      strRoomId: null,
      scene: 0,
      role: 20,
      userId: "me",
      name: "Me",
      enteredAt: 1,
    },
    roomState: { ...ROOM_STATE, ...change },
    participants: ["bob", "co", "boss"].map(person),
  };
}

/** What the menu offers beside what changes for oneself alone. */
const ids = (state: AppState, userId: string) =>
  choicesFor(state, userId)
    .map(({ id }) => id)
    .filter((id) => !id.endsWith("-for-me"));

describe("what a host may do", () => {
  it("is everything for the owner, and nothing to oneself", () => {
    expect(ids(app(), "bob")).toEqual([
      "mute",
      "silence",
      "video",
      "co-host",
      "hand-over",
      "remove",
      "ban",
    ]);
    expect(ids(app(), "me")).toEqual([]);
    expect(choicesFor(app(), "co").find(({ id }) => id === "co-host")?.label).toBe(
      "No longer co-host",
    );
  });

  it("is less for a co-host, and nothing to other hosts", () => {
    const mine = app({ owner: "boss", coHosts: ["me", "co"] });
    expect(ids(mine, "bob")).toEqual(["mute", "silence", "video", "remove", "ban"]);
    expect(ids(mine, "co")).toEqual([]);
    expect(ids(mine, "boss")).toEqual([]);
    expect(roomTools(mine)?.ends).toBe(false);
  });

  it("is nothing for everybody else", () => {
    const mine = app({ owner: "boss", coHosts: [] });
    expect(ids(mine, "bob")).toEqual([]);
    expect(roomTools(mine)).toBeNull();
    expect(roomTools({ ...app(), roomState: null })).toBeNull();
    expect(standingIn(mine, "boss")).toBe("owner");
  });

  it("ends the sharing of a screen where there is one", () => {
    const state = app();
    const participants = state.participants.map((one) => ({
      ...one,
      screenAvailable: one.userId === "bob",
    }));
    expect(ids({ ...state, participants }, "bob")).toContain("share");
    expect(ids({ ...state, participants }, "boss")).not.toContain("share");
    expect(choicesFor({ ...state, participants }, "bob").find(({ id }) => id === "share")).toEqual({
      id: "share",
      label: "Stop sharing",
      request: { command: "host_action", args: { action: "stopShare", userId: "bob" } },
    });
  });

  it("knows who is kept out", () => {
    expect(roomTools(app({ banned: ["eve"] }))?.banned).toEqual(["eve"]);
  });

  it("offers to let those speak who may not", () => {
    expect(ids(app({ forbidden: ["bob"] }), "bob")).toContain("allow");
    expect(ids(app({ forbidden: ["bob"] }), "bob")).not.toContain("silence");
  });
});

describe("what anybody may do about others", () => {
  const own = (state: AppState, userId: string) =>
    choicesFor(state, userId).filter(({ id }) => id.endsWith("-for-me"));

  it("is to mute and hide them for oneself, and to take that back", () => {
    const guest = app({ owner: "boss", coHosts: [] });
    expect(own(guest, "boss").map(({ label }) => label)).toEqual(["Mute for me", "Hide picture"]);
    expect(own(guest, "me")).toEqual([]);
    const participants = guest.participants.map((one) => ({
      ...one,
      audioMuted: true,
      videoMuted: true,
    }));
    expect(own({ ...guest, participants }, "boss")).toEqual([
      {
        id: "mute-for-me",
        label: "Hear again",
        request: { command: "mute_remote_audio", args: { userId: "boss", mute: false } },
      },
      {
        id: "hide-for-me",
        label: "Show picture",
        request: { command: "mute_remote_video_stream", args: { userId: "boss", mute: false } },
      },
    ]);
  });

  it("is about voices only where there are no pictures, and needs no word of the server", () => {
    const { room, ...rest } = app();
    const voices: AppState = { ...rest, room: room && { ...room, scene: 2 }, roomState: null };
    expect(choicesFor(voices, "bob").map(({ id }) => id)).toEqual(["mute-for-me"]);
  });
});

describe("what a host did in words", () => {
  const words = (what: Parameters<typeof hostWords>[1], by: string | null = "boss") =>
    hostWords(app({ owner: "boss", coHosts: [] }), what, by);

  it("tells whom it concerns, with the name of who did it", () => {
    expect(words({ action: "mute", userId: "me" })).toBe("BOSS muted you.");
    expect(words({ action: "mute", userId: "me", allowUnmute: false })).toMatch(/when a host/);
    expect(words({ action: "mute" })).toBe("BOSS muted everybody.");
    expect(words({ action: "stopVideo", userId: "me" }, null)).toBe(
      "The server turned your camera off.",
    );
    expect(words({ action: "coHost", userId: "me", on: true })).toBe("You are a co-host now.");
    expect(words({ action: "lock", on: true })).toMatch(/locked the room/);
  });

  it("tells nobody what they did themselves or what is about somebody else", () => {
    expect(words({ action: "lock", on: true }, "me")).toBeNull();
    expect(words({ action: "mute", userId: "bob" })).toBeNull();
    expect(hostWords(app(), { action: "mute" }, "co")).toBeNull();
  });
});
