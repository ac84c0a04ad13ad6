import { describe, expect, it } from "vitest";
import type { AppState } from "../types/AppState";
import { controlsOf, peopleOf, tilesOf } from "./meeting";
import { IDLE } from "./state";

function app(change: Partial<AppState>, scene: 0 | 1 | 2 | 3 = 0, role: 20 | 21 = 20): AppState {
  return {
    ...IDLE,
    phase: "in",
    room: {
      server: "http://x",
      sdkAppId: 1,
      roomId: 1,
      strRoomId: null,
      scene,
      role,
      userId: "me",
      name: "Ada",
      enteredAt: 1,
    },
    participants: [
      {
        userId: "bo",
        name: "",
        role: 20,
        videoAvailable: true,
        audioAvailable: false,
        screenAvailable: false,
        videoSize: null,
        audioLevel: 90,
        speaking: true,
        videoMuted: false,
        audioMuted: false,
      },
    ],
    ...change,
  };
}

describe("people", () => {
  it("are nobody outside a room", () => {
    expect(peopleOf(IDLE)).toEqual([]);
  });

  it("begin with oneself, whose id is empty as in the backend", () => {
    const [self, other] = peopleOf(app({}));
    expect(self).toMatchObject({ id: "", self: true, name: "Ada", video: "off" });
    expect(other).toMatchObject({ id: "bo", self: false });
  });

  it("without a name are called by their id", () => {
    expect(peopleOf(app({}))[1]?.name).toBe("bo");
  });

  it("are starting until the first picture is there", () => {
    expect(peopleOf(app({}))[1]?.video).toBe("starting");
    const camera = { on: true, ready: true, muted: false, fault: null };
    expect(peopleOf(app({ camera }))[0]?.video).toBe("on");
    expect(peopleOf(app({ camera: { ...camera, ready: false } }))[0]?.video).toBe("starting");
    expect(peopleOf(app({ camera: { ...camera, muted: true } }))[0]?.video).toBe("off");
  });

  it("who are muted do not speak, whatever their level says", () => {
    expect(peopleOf(app({}))[1]?.speaking).toBe(false);
    const microphone = { on: true, muted: true, speaking: true, level: 50, fault: null };
    expect(peopleOf(app({ microphone }))[0]).toMatchObject({ microphone: "off", speaking: false });
  });

  it("whom I muted or hid for myself are marked", () => {
    const state = app({});
    const participants = state.participants.map((one) => ({
      ...one,
      audioMuted: true,
      videoMuted: true,
    }));
    expect(peopleOf({ ...state, participants })[1]).toMatchObject({ silenced: true, hidden: true });
    expect(peopleOf(state)[1]).toMatchObject({ silenced: false, hidden: false });
  });

  it("whose device is waited for are neither seen nor heard", () => {
    const fault = { code: 1201, message: "gone" };
    const microphone = { on: true, muted: false, speaking: true, level: 50, fault };
    const camera = { on: true, ready: true, muted: false, fault };
    expect(peopleOf(app({ microphone, camera }))[0]).toMatchObject({
      microphone: "off",
      video: "off",
      speaking: false,
    });
  });

  it("have a role in live scenes only", () => {
    expect(peopleOf(app({}))[0]?.role).toBeNull();
    expect(peopleOf(app({}, 1, 21)).map(({ role }) => role)).toEqual(["Audience", "Anchor"]);
    expect(peopleOf(app({}, 3, 21)).map(({ role }) => role)).toEqual(["Listener", "Speaker"]);
  });
});

describe("the audience", () => {
  it("has no tile and no devices", () => {
    const state = app({}, 1, 21);
    expect(tilesOf(state).map(({ id }) => id)).toEqual(["bo"]);
    expect(controlsOf(state).microphone.offered).toBe(false);
    expect(controlsOf(state).camera.offered).toBe(false);
  });
});

describe("the controls", () => {
  it("offer a camera only where there are pictures", () => {
    expect(controlsOf(app({}, 0)).camera.offered).toBe(true);
    expect(controlsOf(app({}, 2)).camera.offered).toBe(false);
    expect(controlsOf(app({}, 2)).microphone.offered).toBe(true);
  });

  it("are on where the tile says so, and say what a device waits for", () => {
    const fault = { code: 1201, message: "gone" };
    const microphone = { on: true, muted: false, speaking: false, level: 0, fault };
    const camera = { on: true, ready: false, muted: false, fault };
    const waits = app({ microphone, camera });
    expect(controlsOf(waits)).toMatchObject({
      microphone: { on: false, fault },
      camera: { on: false, fault },
    });
    expect(peopleOf(waits)[0]).toMatchObject({ microphone: "off", video: "off" });
    const muted = app({ microphone: { ...microphone, muted: true } });
    expect(controlsOf(muted).microphone).toMatchObject({ on: false, fault: null });
    const works = app({ microphone: { ...microphone, fault: null } });
    expect(controlsOf(works).microphone).toMatchObject({ on: true, fault: null });
    const failed = app({ microphone: { ...microphone, on: false } });
    expect(controlsOf(failed).microphone).toMatchObject({ on: false, fault: null });
  });
});
