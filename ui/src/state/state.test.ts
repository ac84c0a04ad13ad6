import { describe, expect, it } from "vitest";
import type { AppState } from "../types/AppState";
import type { DeviceView } from "../types/DeviceView";
import type { Event } from "../types/Event";
import { statistics } from "./figures.samples";
import { insteadOf, optionsOf } from "./devices";
import { EMPTY_FORM } from "./join";
import { UNMEASURED } from "./network";
import { hostingOf, IDLE, initialState, pageOf, reduce, roomLabel, type State } from "./state";

const room: AppState["room"] = {
  server: "http://127.0.0.1:7880",
  sdkAppId: 1,
  roomId: 123,
  strRoomId: null,
  scene: 0,
  role: 20,
  userId: "me",
  name: "Ada",
  enteredAt: 1000,
};

function after(state: State, ...events: Event[]): State {
  return events.reduce(
    (current, event) => reduce(current, { type: "event", event, now: 5000 }),
    state,
  );
}

const snapshot = (part: Partial<AppState>): Event => ({
  event: "state",
  data: { ...IDLE, ...part },
});
const entered: Event = { event: "onEnterRoom", data: { result: 30 } };
const removed = {
  reason: 1,
  cause: "removed",
  by: "Bo",
  message: "",
} as const;

function inside(): State {
  return after(initialState(), snapshot({ phase: "in", room }), entered);
}

function entering(): State {
  return reduce(initialState({ ...EMPTY_FORM, where: "server" }), {
    type: "step",
    step: "entering",
  });
}

describe("the page", () => {
  it("is the join page, then the meeting, then the notice, then the join page", () => {
    const start = initialState();
    expect(pageOf(start)).toBe("join");
    const meeting = inside();
    expect(pageOf(meeting)).toBe("meeting");
    const out = after(meeting, { event: "onExitRoom", data: removed }, snapshot({}));
    expect(pageOf(out)).toBe("exit");
    expect(out.notice?.what).toBe("Bo removed you from room 123.");
    expect(pageOf(reduce(out, { type: "notice-read" }))).toBe("join");
  });

  it("is the same whether the state or the event of an exit comes first", () => {
    const event: Event = { event: "onExitRoom", data: removed };
    const state = snapshot({ exit: removed });
    const one = after(inside(), event, state);
    const other = after(inside(), state, event);
    expect(one).toEqual(other);
    expect(pageOf(one)).toBe("exit");
  });

  it("shows an entry that a script began, from the notice as well", () => {
    const out = after(inside(), snapshot({ exit: removed }));
    const entered = after(out, snapshot({ phase: "entering", room }));
    expect(pageOf(entered)).toBe("join");
    expect(entered.joining.step).toBe("entering");
    const failed = after(entered, { event: "onEnterRoom", data: { result: -3308 } });
    expect(failed.joining.step).toBeNull();
  });

  it("finds its meeting again after it was loaded anew", () => {
    const state = after(initialState(), snapshot({ phase: "reconnecting", room }));
    expect(pageOf(state)).toBe("meeting");
    expect(state.since).toBe(1000);
  });

  it("shows no notice for an entry that was given up", () => {
    const given = after(entering(), snapshot({ phase: "entering", room }), {
      event: "onExitRoom",
      data: { reason: 0, cause: "left", by: null, message: "" },
    });
    expect(pageOf(given)).toBe("join");
    expect(given.joining.step).toBeNull();
  });

  it("takes an exit in once: the next attempt is not disturbed by it", () => {
    const out = after(inside(), snapshot({ exit: removed }));
    const again = reduce(reduce(out, { type: "notice-read" }), { type: "step", step: "hosting" });
    expect(after(again, snapshot({ exit: removed })).joining.step).toBe("hosting");
  });

  it("remembers the room that the backend has let go", () => {
    const text = { ...room, roomId: null, strRoomId: "tea" };
    const state = after(initialState(), snapshot({ phase: "in", room: text }), snapshot({}));
    expect(roomLabel(state)).toBe("tea");
  });
});

describe("the server that the app was started with", () => {
  const server = "http://192.168.1.20:7880";

  it("stands in the form, in front of what was remembered", () => {
    const { form } = after(initialState(), snapshot({ server })).joining;
    expect([form.where, form.server]).toEqual(["server", server]);
  });

  it("does not come back over what was typed since", () => {
    const typed = reduce(after(initialState(), snapshot({ server })), {
      type: "edit",
      change: { server: "elsewhere:7880" },
    });
    expect(after(typed, snapshot({ server })).joining.form.server).toBe("elsewhere:7880");
  });
});

describe("a refused entry", () => {
  const refusal: Event = { event: "onError", data: { code: -100018, message: "It has expired." } };
  const result: Event = { event: "onEnterRoom", data: { result: -100018 } };

  it.each([
    ["before", [refusal, result]],
    ["after", [result, refusal]],
  ])("says why beside the field when the reason comes %s the result", (_, events) => {
    const { joining } = after(entering(), ...events);
    expect(joining.step).toBeNull();
    expect(joining.errors).toEqual({ userSig: "It has expired." });
    expect(joining.refusal).toBeNull();
    expect(joining.advanced).toBe(true);
  });

  it("has words even when none came", () => {
    const { joining } = after(entering(), { event: "onEnterRoom", data: { result: -3301 } });
    expect(joining.refusal).toBe(
      "The room could not be entered (code -3301). Try again in a moment.",
    );
  });

  it("leaves a fault of the camera to the preview while nothing is entered", () => {
    const fault: Event = { event: "onWarning", data: { code: 1111, message: "No camera." } };
    expect(after(initialState(), fault).toasts).toEqual([]);
    expect(after(entering(), fault).toasts).toHaveLength(1);
  });

  it("is interrupted by no news of devices but those for people", () => {
    const change = (message: string): Event => ({
      event: "onDeviceChange",
      data: { deviceId: "d", type: 0, state: 2, name: "Headset", message },
    });
    expect(after(entering(), change("")).toasts).toEqual([]);
    const told = after(entering(), change("The microphone “Headset” is back and used again."));
    expect(told.toasts[0]).toMatchObject({ kind: "info" });
    expect(told.toasts[0]?.text).toContain("Headset");
  });

  it("is not blamed on a device", () => {
    const state = after(entering(), {
      event: "onError",
      data: { code: -1301, message: "No camera was found." },
    });
    expect(state.joining.refusal).toBeNull();
    expect(state.toasts[0]?.text).toContain("No camera was found.");
    const without = after(entering(), {
      event: "onError",
      data: { code: 1111, message: "no camera was found on this computer" },
    });
    expect(without.joining.refusal).toBeNull();
    expect(without.joining.step).toBe("entering");
  });
});

describe("a complaint about the form", () => {
  const wrong = reduce(initialState(), {
    type: "wrong",
    errors: { name: "no name", room: "no room" },
  });

  it("goes when its field changes, and the others stay", () => {
    const { errors } = reduce(wrong, { type: "edit", change: { name: "A" } }).joining;
    expect(errors).toEqual({ room: "no room" });
  });

  it("that a User ID lacks something goes when a guest comes instead", () => {
    const form = { ...EMPTY_FORM, where: "server", userId: "ada" } as const;
    const message = "The SDKAppID is missing.";
    const refused = reduce(initialState(form), {
      type: "refused",
      code: -3317,
      detail: null,
      message,
    });
    expect(refused.joining.errors.sdkAppId).toContain("A User ID of your own needs an SDKAppID");
    const typing = reduce(refused, { type: "edit", change: { userId: "ad" } });
    expect(typing.joining.errors).toHaveProperty("sdkAppId");
    const guest = reduce(typing, { type: "edit", change: { userId: "" } });
    expect(guest.joining.errors).toEqual({});
  });

  it("about the room goes when its kind changes", () => {
    const { errors } = reduce(wrong, { type: "edit", change: { roomKind: "text" } }).joining;
    expect(errors).toEqual({ name: "no name" });
  });
});

describe("devices", () => {
  const headset = {
    kind: 0,
    deviceId: "pulseaudio:mic2",
    name: "Headset",
    isDefault: false,
  } as const;
  const builtIn = {
    kind: 0,
    deviceId: "pulseaudio:mic1",
    name: "Built-in",
    isDefault: true,
  } as const;
  const microphone = { on: true, muted: false, speaking: false, level: 0, fault: null };
  const selected = { ...IDLE.selected, microphone: headset.deviceId };
  const used = ({ kind, deviceId, name }: DeviceView): Event => ({
    event: "onDeviceChange",
    data: { type: kind, deviceId, name, state: 2, message: "" },
  });
  const words = ({ app, devices }: State) =>
    optionsOf("microphone", app.devices, app.selected.microphone, devices).at(-1)?.words;
  const instead = ({ app, devices }: State) => insteadOf("microphone", app, devices);

  it("keep their names when they are gone, and it is known which one stands in", () => {
    const there = after(
      initialState(),
      snapshot({ devices: [builtIn, headset], selected, microphone }),
    );
    expect([words(there), instead(there)]).toEqual(["Headset", null]);
    const gone = after(there, snapshot({ devices: [builtIn], selected, microphone }));
    expect([words(gone), instead(gone)]).toEqual(["Headset (not connected)", null]);
    const other = after(gone, used(builtIn));
    expect(instead(other)).toBe("Built-in");
    const off = after(other, snapshot({ devices: [builtIn], selected }));
    expect(instead(off)).toBeNull();
    const tone = { ...selected, microphone: "tone" };
    expect(instead(after(other, snapshot({ ...other.app, selected: tone })))).toBeNull();
    const fault = { code: 1201, message: "gone" };
    const none = after(other, snapshot({ selected, microphone: { ...microphone, fault } }));
    expect(instead(none)).toBeNull();
    const back = after(other, used(headset), snapshot({ devices: [builtIn, headset], selected }));
    expect([words(back), instead(back)]).toEqual(["Headset", null]);
  });

  it("are known by what was told of them too", () => {
    const { type, deviceId, name } = { ...headset, type: 0 };
    const told: Event = {
      event: "onDeviceChange",
      data: { type, deviceId, name, state: 1, message: "" },
    };
    expect(words(after(initialState(), told, snapshot({ selected })))).toBe(
      "Headset (not connected)",
    );
    expect(words(after(initialState(), snapshot({ selected })))).toBe("mic2 (not connected)");
  });

  it("that are the same as before change nothing", () => {
    const there = after(initialState(), snapshot({ devices: [builtIn] }));
    expect(after(there, snapshot({ devices: [{ ...builtIn }] })).devices).toBe(there.devices);
  });
});

describe("hosting", () => {
  const hosting = {
    server: "http://127.0.0.1:7880",
    lan: false,
    addresses: [],
    fingerprint: "",
    sdkAppId: 1,
    outside: { state: "off", address: null, message: null } as const,
    passcode: false,
    waitingRoom: false,
  };
  const out: Event = {
    event: "onExitRoom",
    data: { reason: 2, cause: "host_stopped", by: null, message: "" },
  };

  it("counts for the room that this computer carries and for no other", () => {
    expect(hostingOf(after(inside(), snapshot({ phase: "in", room, hosting })))).toEqual(hosting);
    const elsewhere = { ...room, server: "http://10.0.0.7:7880" } as AppState["room"];
    const other = after(initialState(), snapshot({ phase: "in", room: elsewhere, hosting }));
    expect(hostingOf(other)).toBeNull();
  });

  it("is said to have been ended by oneself, also where the stop is told first", () => {
    const hosts = after(inside(), snapshot({ phase: "in", room, hosting }));
    const stopped = snapshot({ phase: "in", room, hosting: null });
    expect(after(hosts, stopped, out).notice?.title).toBe("You ended the meeting");
    expect(after(hosts, out).notice?.title).toBe("You ended the meeting");
    expect(after(inside(), out).notice?.title).toBe("The host ended the meeting");
    // Somebody else may host at the same address later.
    const later = after(hosts, stopped, out, snapshot({ phase: "entering", room }), entered, out);
    expect(later.notice?.title).toBe("The host ended the meeting");
  });
});

describe("inside", () => {
  it("errors and warnings become messages", () => {
    const state = after(
      inside(),
      { event: "onError", data: { code: -102052, message: "Too many publish." } },
      { event: "onWarning", data: { code: 1101, message: "Slow." } },
    );
    expect(state.toasts.map(({ kind, text }) => [kind, text])).toEqual([
      ["error", "Too many publish."],
      ["warning", "Slow."],
    ]);
    expect(pageOf(state)).toBe("meeting");
  });

  it("a lost connection is shown until it is back", () => {
    const lost = after(inside(), { event: "onConnectionLost" });
    expect(lost.connection).toBe("lost");
    const trying = after(lost, { event: "onTryToReconnect" });
    expect(trying.connection).toBe("reconnecting");
    expect(after(trying, { event: "onConnectionRecovery" }).connection).toBe("fine");
  });

  it("a complaint about a device is over once that works, and no other is", () => {
    const complaints = after(
      inside(),
      { event: "onError", data: { code: -1301, message: "No camera." } },
      { event: "onError", data: { code: -1302, message: "No microphone." } },
    );
    const camera = { on: true, ready: true, muted: false, fault: null };
    const seen = after(complaints, snapshot({ phase: "in", room, camera }));
    expect(seen.toasts.map(({ device }) => device)).toEqual(["microphone"]);
    const microphone = { on: true, muted: false, speaking: false, level: 0, fault: null };
    expect(after(seen, snapshot({ phase: "in", room, camera, microphone })).toasts).toEqual([]);
  });

  it("a refused request is an error, and a warning where it is one", () => {
    const said = (code: number) =>
      reduce(inside(), { type: "complained", fault: { code, message: "No." }, now: 0 }).toasts[0];
    expect([said(-1302)?.kind, said(1201)?.kind]).toEqual(["error", "warning"]);
    expect(said(-1302)?.text).toBe("No. Check that it is connected, then unmute.");
  });

  it("the connections are as they were told last, until the room is left", () => {
    const told = after(
      inside(),
      { event: "onStatistics", data: statistics({ rtt: 23 }) },
      {
        event: "onNetworkQuality",
        data: { local: { userId: "", quality: 2 }, remote: [{ userId: "bo", quality: 4 }] },
      },
    );
    expect(told.network).toMatchObject({ own: 2, others: { bo: 4 }, statistics: { rtt: 23 } });
    const lost = after(told, { event: "onConnectionLost" });
    expect(lost.network).toEqual({ own: 6, others: { bo: 0 }, statistics: null });
    expect(after(told, { event: "onExitRoom", data: removed }).network).toEqual(UNMEASURED);
  });

  it("those already there are no news, those who come later are", () => {
    const bo: Event = { event: "onRemoteUserEnterRoom", data: { userId: "bo", name: "Bo" } };
    const fresh = reduce(inside(), { type: "event", event: bo, now: 1500 });
    expect(fresh.toasts).toEqual([]);
    const later = reduce(inside(), { type: "event", event: bo, now: 9000 });
    expect(later.toasts[0]?.text).toBe("Bo joined");
  });

  it("those who come together share one message", () => {
    const joins = (userId: string, name = ""): Event => ({
      event: "onRemoteUserEnterRoom",
      data: { userId, name },
    });
    let state = inside();
    const texts: (string | undefined)[] = [];
    for (const event of [
      joins("bo", "Bo"),
      joins("cy"),
      joins("di"),
      joins("ed"),
      joins("bo", "Bo"),
    ]) {
      state = reduce(state, { type: "event", event, now: 9000 });
      texts.push(...state.toasts.map(({ text }) => text));
    }
    expect(texts).toEqual([
      "Bo joined",
      "Bo and cy joined",
      "Bo, cy and 1 more joined",
      "Bo, cy and 2 more joined",
      "cy, di and 2 more joined",
    ]);
    const namesake = reduce(state, { type: "event", event: joins("cy2", "cy"), now: 9000 });
    expect(namesake.toasts[0]?.text).toBe("cy, di and 3 more joined");
    const { id } = state.toasts[0] ?? { id: 0 };
    const gone = reduce(state, { type: "toast-closed", id });
    const later = reduce(gone, { type: "event", event: joins("flo"), now: 20_000 });
    expect(later.toasts.map(({ text }) => text)).toEqual(["flo joined"]);
  });

  it("says why somebody left", () => {
    const leaves = (reason: 0 | 1 | 2 | 3) =>
      after(inside(), { event: "onRemoteUserLeaveRoom", data: { userId: "bo", reason } }).toasts[0]
        ?.text;
    expect([leaves(0), leaves(1), leaves(2), leaves(3)]).toEqual([
      "bo left",
      "bo lost the connection",
      "bo was removed",
      "bo joined the audience",
    ]);
  });
});

describe("another room", () => {
  it("that was entered over a lost connection is another connection", () => {
    const lost = after(inside(), { event: "onConnectionLost" });
    expect(lost.connection).toBe("lost");
    const refused: Event = { event: "onSwitchRoom", data: { code: -3, message: "No." } };
    expect(after(lost, refused)).toBe(lost);
    const over = after(lost, { event: "onSwitchRoom", data: { code: 0, message: "" } });
    expect(over).toMatchObject({ connection: "fine", spoken: "You are in another room." });
  });
});

describe("people who were here", () => {
  it("are known by name when they are gone", () => {
    const bo = { userId: "bo", name: "Bo" } as AppState["participants"][number];
    const here = after(inside(), snapshot({ phase: "in", room, participants: [bo] }));
    const gone = after(here, snapshot({ phase: "in", room, participants: [] }));
    expect(gone.names.get("bo")).toBe("Bo");
    expect(gone.names).toBe(here.names);
    const renamed = [{ ...bo, name: "Bob" }];
    expect(
      after(gone, snapshot({ phase: "in", room, participants: renamed })).names.get("bo"),
    ).toBe("Bob");
  });
});
