import { describe, expect, it } from "vitest";
import { fakeHost, type FakeHost, type FakeOptions } from "../host/fake";
import { HostFault } from "../host/host";
import { rememberedForm } from "./memory";
import { pageOf } from "./state";
import { Store } from "./store";

const options = { now: () => 1000, storage: localStorage };

function open(fake: FakeOptions = {}): { host: FakeHost; store: Store } {
  const host = fakeHost(fake);
  const store = new Store(host, options);
  store.start();
  void store.attend();
  return { host, store };
}

/** Everything already promised is done. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function fill(store: Store, change: object = {}): void {
  store.dispatch({ type: "edit", change: { name: "Ada", roomNumber: "123", ...change } });
}

function names(host: FakeHost): string[] {
  return host.calls.map(({ command }) => command);
}

/** What the room was last entered with. */
function entry(host: FakeHost): unknown {
  return host.calls.findLast(({ command }) => command === "enter_room")?.args;
}

describe("joining", () => {
  it("hosts and enters with what was typed", async () => {
    const { host, store } = open();
    await settled();
    fill(store, { userId: "ada" });
    await store.join();
    expect(names(host).filter((name) => name !== "start_remote_view")).toEqual([
      "get_state",
      "start_local_video",
      "take_invitation",
      "host_room",
      "enter_room",
      "start_local_audio",
    ]);
    expect(entry(host)).toMatchObject({
      server: "http://127.0.0.1:7880",
      userId: "ada",
      name: "Ada",
      roomId: 123,
      scene: 0,
      role: 20,
    });
    expect(pageOf(store.get())).toBe("meeting");
  });

  it("opens no camera before somebody is at the window", async () => {
    const host = fakeHost();
    const store = new Store(host, options);
    store.start();
    await settled();
    expect(names(host)).toEqual(["get_state", "take_invitation"]);
    await store.attend();
    expect(names(host)).toEqual(["get_state", "take_invitation", "start_local_video"]);
    await store.toggleCamera();
    await store.attend();
    expect(host.state().camera.on).toBe(false);
  });

  it("opens the camera once for somebody whose first act is on its button", async () => {
    const host = fakeHost();
    const store = new Store(host, options);
    store.start();
    await settled();
    // A click is told to the button first, and then to the window.
    await Promise.all([store.toggleCamera(), store.attend()]);
    expect(names(host)).toEqual(["get_state", "take_invitation", "start_local_video"]);
    expect(store.get().joining.form.camera).toBe(true);
    await store.toggleCamera();
    expect(host.state().camera.on).toBe(false);
    expect(store.get().joining.form.camera).toBe(false);
  });

  it("asks nobody when the form is wrong", async () => {
    const { host, store } = open();
    fill(store, { name: " " });
    await store.join();
    expect(names(host)).not.toContain("host_room");
    expect(store.get().joining.errors).toHaveProperty("name");
  });

  it("says before the entry what does not come by itself, and takes it back the next time", async () => {
    const { host, store } = open({ refuse: { code: -102052, message: "The room is full." } });
    await settled();
    const said = () =>
      host.calls.filter(({ command }) => /recv_mode|mute_all|enter_room/.test(command)).slice(-4);
    const told = (audio: boolean, video: boolean) => [
      { command: "set_default_stream_recv_mode", args: { audio, video } },
      { command: "mute_all_remote_audio", args: { mute: !audio } },
      { command: "mute_all_remote_video_streams", args: { mute: !video } },
    ];
    fill(store, { receiveAudio: false });
    await store.join();
    expect(said().slice(0, 3)).toEqual(told(false, true));
    expect(said().at(-1)?.command).toBe("enter_room");
    expect(store.get().muted).toEqual({ voices: true, pictures: false });
    store.edit({ receiveAudio: true });
    await store.join();
    expect(said().slice(0, 3)).toEqual(told(true, true));
    expect(store.get().muted).toEqual({ voices: false, pictures: false });
    const before = host.calls.length;
    await store.join();
    expect(names(host).slice(before)).toEqual(["enter_room"]);
  });

  it("takes back what was said before the page was loaded again", async () => {
    const first = open();
    await settled();
    fill(first.store, { receiveVideo: false });
    await first.store.join();
    const { host, store } = open();
    await settled();
    expect(store.get().joining.form.receiveVideo).toBe(false);
    fill(store, { receiveVideo: true });
    await store.join();
    expect(host.calls).toContainEqual({
      command: "set_default_stream_recv_mode",
      args: { audio: true, video: true },
    });
  });

  it("opens neither camera nor microphone for the audience", async () => {
    const { host, store } = open();
    await settled();
    fill(store, { scene: 1, role: 21 });
    await store.join();
    expect(host.state().camera.on).toBe(false);
    expect(names(host)).not.toContain("start_local_audio");
    expect(entry(host)).toMatchObject({ scene: 1, role: 21 });
  });

  it("closes the camera for a meeting without pictures", async () => {
    const { host, store } = open();
    await settled();
    expect(host.state().camera.on).toBe(true);
    fill(store, { scene: 2 });
    await store.join();
    expect(host.state().camera.on).toBe(false);
    expect(host.state().microphone.on).toBe(true);
  });

  it("uses the UserSig that was typed for a server", async () => {
    const { host, store } = open();
    fill(store, {
      where: "server",
      server: "10.0.0.1:7880",
      sdkAppId: "7",
      userId: "ada",
      userSig: " abc ",
    });
    await store.join();
    expect(entry(host)).toMatchObject({
      server: "10.0.0.1:7880",
      sdkAppId: 7,
      userId: "ada",
      userSig: "abc",
    });
  });

  it("leaves to the backend who a guest is", async () => {
    const { host, store } = open();
    fill(store, { where: "server", server: "10.0.0.1:7880", passcode: "open sesame" });
    await store.join();
    const asked = entry(host);
    expect(asked).toMatchObject({ passcode: "open sesame" });
    for (const field of ["userId", "sdkAppId", "userSig", "guest"]) {
      expect(asked).not.toHaveProperty(field);
    }
  });

  it.each([
    { code: -3320, message: "This server takes no guests.", field: "userSig" },
    { code: -102011, message: "This server asks guests for a passcode.", field: "passcode" },
  ] as const)("shows where to type what a guest misses", async ({ code, message, field }) => {
    const { store } = open({ refuse: { code, message } });
    fill(store, { where: "server", server: "10.0.0.1:7880" });
    await store.join();
    expect(store.get().joining.errors[field]).toContain(message);
    expect(store.get().joining.advanced).toBe(true);
  });

  it("does not blame the passcode for a host's no", async () => {
    const message = "The host did not let you in.";
    const { store } = open({ refuse: { code: -102011, message } });
    fill(store, { where: "server", server: "10.0.0.1:7880", passcode: "right" });
    await store.join();
    expect(store.get().joining).toMatchObject({ refusal: message, errors: {} });
  });

  it("says why it was refused, leaves the form as it was and opens no microphone", async () => {
    const { host, store } = open({ refuse: { code: -102052, message: "The room is full." } });
    fill(store);
    await store.join();
    expect(names(host)).not.toContain("start_local_audio");
    expect(store.get().joining).toMatchObject({ refusal: "The room is full.", step: null });
    expect(store.get().joining.form.roomNumber).toBe("123");
  });

  it("can be given up while the server is asked", async () => {
    const { host, store } = open({ delay: 10_000 });
    fill(store);
    await store.join();
    expect(store.get().joining.step).toBe("entering");
    await store.cancelJoin();
    expect(names(host)).toContain("exit_room");
    expect(host.state().phase).toBe("idle");
    expect(pageOf(store.get())).toBe("join");
    expect(store.get().joining.step).toBeNull();
  });

  it("keeps what was typed for the next time, except the secret", async () => {
    const { store } = open();
    fill(store, {
      where: "server",
      server: "10.0.0.1:7880",
      sdkAppId: "7",
      userId: "ada",
      userSig: "planted-secret",
    });
    await store.join();
    expect(rememberedForm(localStorage)).toMatchObject({ name: "Ada", roomNumber: "123" });
    expect(JSON.stringify(localStorage.getItem("confab.join"))).not.toContain("planted-secret");
  });
});

describe("in the meeting", () => {
  async function meeting(fake: FakeOptions = {}) {
    const opened = open(fake);
    await settled();
    fill(opened.store);
    await opened.store.join();
    return opened;
  }

  it("asks for every picture once, and again when it comes back", async () => {
    const { host } = await meeting({ people: 3 });
    const asked = () =>
      host.calls.flatMap((call) =>
        call.command === "start_remote_view" ? [call.args.userId] : [],
      );
    expect(asked()).toEqual(["user-1", "user-2"]);
    const [first, ...rest] = host.state().participants;
    if (first === undefined) throw new Error("nobody is there");
    host.change({ participants: [{ ...first, videoAvailable: false }, ...rest] });
    host.change({ participants: [first, ...rest] });
    expect(asked()).toEqual(["user-1", "user-2", "user-1"]);
  });

  it("mutes rather than closes the microphone, and closes the camera", async () => {
    const { host, store } = await meeting();
    await store.toggleMicrophone();
    expect(host.calls.at(-1)).toEqual({ command: "mute_local_audio", args: { mute: true } });
    await store.toggleMicrophone();
    expect(host.calls.at(-1)).toEqual({ command: "mute_local_audio", args: { mute: false } });
    await store.toggleCamera();
    expect(host.calls.at(-1)).toEqual({ command: "stop_local_video", args: {} });
  });

  it("opens the microphone late for somebody who joined without", async () => {
    const { host, store } = open();
    fill(store, { microphone: false });
    await store.join();
    expect(host.state().microphone.on).toBe(false);
    await store.toggleMicrophone();
    expect(host.calls.at(-1)).toEqual({ command: "start_local_audio", args: {} });
  });

  it("a device that cannot be opened is a message, not the end", async () => {
    const { store } = await meeting({ noCamera: true });
    await store.toggleCamera();
    expect(store.get().toasts.at(-1)?.text).toContain("No camera was found");
    expect(pageOf(store.get())).toBe("meeting");
  });

  it("joins again the way the meeting was left", async () => {
    const { host, store } = await meeting();
    await store.toggleCamera();
    host.leave({ reason: 1, cause: "removed", by: null, message: "" });
    expect(pageOf(store.get())).toBe("exit");
    await store.joinAgain();
    expect(pageOf(store.get())).toBe("meeting");
    expect(host.state().camera.on).toBe(false);
    expect(host.state().microphone.on).toBe(true);
  });

  it("shows who goes back to the start as they were in the meeting", async () => {
    const { host, store } = await meeting();
    await store.leave("leave");
    expect(host.state().camera.on).toBe(false);
    await store.backToStart();
    expect(pageOf(store.get())).toBe("join");
    expect(host.state().camera.on).toBe(true);
  });

  it("keeps the camera closed for a kind of meeting without pictures, and opens it for another", async () => {
    const { host, store } = open();
    await settled();
    expect(host.state().camera.on).toBe(true);
    store.edit({ scene: 2 });
    expect(host.state().camera.on).toBe(false);
    fill(store);
    await store.join();
    await store.leave("leave");
    await store.backToStart();
    expect(host.state().camera.on).toBe(false);
    store.edit({ scene: 0 });
    expect(host.state().camera.on).toBe(true);
  });

  it("leaves the camera off on the way back where it was off in the meeting", async () => {
    const { host, store } = await meeting();
    await store.toggleCamera();
    await store.leave("leave");
    const before = host.calls.length;
    await store.backToStart();
    expect(host.calls).toHaveLength(before);
    expect(store.get().joining.form.camera).toBe(false);
  });

  it("tells a host who ends it that it was their doing", async () => {
    const { store } = await meeting();
    await store.leave("end");
    expect(store.get().notice?.title).toBe("You ended the meeting");
  });

  it("asks the backend for an invitation to the room that one is in", async () => {
    const { host, store } = await meeting();
    const made = await store.invitation();
    expect(host.calls.at(-1)).toEqual({ command: "make_invitation", args: {} });
    expect(made).toMatchObject({ link: "confab://join?server=127.0.0.1:7880&room=123" });
    const hosting = host.state().hosting;
    host.change({ hosting: hosting && { ...hosting, lan: true, addresses: [] } });
    expect(await store.invitation()).toBe("This computer is in no network.");
  });
});

describe("being invited", () => {
  const invitation = { server: "10.0.0.9:7880", strRoomId: "tea", scene: 1, ticket: "t" } as const;

  it("fills the form from the link that the app was started with", async () => {
    const host = fakeHost();
    host.invite(invitation);
    const store = new Store(host, options);
    store.start();
    await settled();
    const { form } = store.get().joining;
    expect(form).toMatchObject({
      where: "server",
      server: "10.0.0.9:7880",
      roomText: "tea",
      scene: 1,
    });
    expect(store.get().toasts.at(-1)?.text).toBe(
      "You are invited to the room “tea” at 10.0.0.9:7880.",
    );
    host.emit({ event: "invited", data: {} });
    await settled();
    expect(store.get().toasts).toHaveLength(1);
  });

  it("takes the ticket to that room and to no other", async () => {
    const { host, store } = open();
    host.invite(invitation);
    await settled();
    fill(store);
    expect(store.get().joining.form.ticket).toBe("");
    host.invite(invitation);
    await settled();
    await store.join();
    expect(entry(host)).toMatchObject({ server: "10.0.0.9:7880", strRoomId: "tea", ticket: "t" });
    expect(localStorage.getItem("confab.join")).not.toContain("ticket");
  });

  it("says which part of a broken link is wrong", async () => {
    const { host, store } = open();
    const message = "The invitation's fingerprint has 63 of 64 hexadecimal digits.";
    host.invite({ code: -2, message });
    await settled();
    expect(store.get().toasts.at(-1)).toMatchObject({ kind: "error", text: message });
  });

  it("says at the field what is wrong with a pasted one", async () => {
    const message = "The invitation does not say which room.";
    const { store } = open({ invitation: { code: -2, message } });
    await store.paste("confab://join?server=h");
    expect(store.get().joining.errors.server).toBe(message);
  });

  async function meeting() {
    const opened = open();
    await settled();
    fill(opened.store);
    await opened.store.join();
    opened.host.invite(invitation);
    await settled();
    return opened;
  }

  it("is asked about in a meeting, and staying changes nothing", async () => {
    const { host, store } = await meeting();
    expect(store.get().invited?.words).toBe("the room “tea” at 10.0.0.9:7880");
    expect(host.state().phase).toBe("in");
    await store.answerInvitation(false);
    expect(store.get().invited).toBeNull();
    expect(host.state().phase).toBe("in");
    expect(store.get().joining.form.roomNumber).toBe("123");
  });

  it("leads straight to the form of the other room, with one's camera as before", async () => {
    const { host, store } = await meeting();
    await store.answerInvitation(true);
    await settled();
    expect(host.state().phase).toBe("idle");
    expect(pageOf(store.get())).toBe("join");
    expect(store.get().joining.form).toMatchObject({ server: "10.0.0.9:7880", roomText: "tea" });
    expect(host.state().camera.on).toBe(true);
  });

  it("shows the notice of a removal that came in between", async () => {
    const { host, store } = await meeting();
    store.dispatch({ type: "invitation-answered", accepted: true });
    host.leave({ reason: 1, cause: "removed", by: null, message: "" });
    expect(pageOf(store.get())).toBe("exit");
    await store.joinAgain();
    await store.leave("leave");
    expect(pageOf(store.get())).toBe("exit");
  });

  it("gives up an entry that one waits for", async () => {
    const { host, store } = open({ delay: 10_000 });
    fill(store);
    await store.join();
    host.invite(invitation);
    await settled();
    await store.answerInvitation(true);
    expect(host.state().phase).toBe("idle");
    expect(store.get().joining).toMatchObject({ step: null, form: { roomText: "tea" } });
  });

  it("does not ask whether to leave a room for itself", async () => {
    const { host, store } = await meeting();
    await store.answerInvitation(false);
    host.invite({ server: "http://127.0.0.1:7880", roomId: 123 });
    await settled();
    expect(store.get().invited).toBeNull();
    expect(store.get().toasts.at(-1)?.text).toContain("the room that you are in");
  });
});

describe("going to another room", () => {
  it("is refused in words, and told as accepted only where it is", async () => {
    const { host, store } = open();
    await settled();
    expect(await store.switchRoom({ roomId: 124 })).toBe(false);
    expect(store.get().toasts.at(-1)).toMatchObject({ kind: "error", text: "You are in no room." });
    fill(store);
    await store.join();
    expect(await store.switchRoom({ roomId: 124 })).toBe(true);
    expect(host.state().switching?.room.roomId).toBe(124);
    await store.cancelSwitch();
    expect(host.state().switching).toBeNull();
  });
});

describe("an invitation", () => {
  it("for one person holds a ticket of its own, and says why there is none", async () => {
    const { host, store } = open();
    await settled();
    fill(store, { hostPasscode: "tea" });
    await store.join();
    const link = async (once?: boolean) => {
      const made = await store.invitation(once);
      return typeof made === "string" ? made : made.link;
    };
    expect(await link()).toMatch(/&passcode=tea$/);
    expect(await link(true)).toMatch(/&ticket=ticket-1$/);
    expect(await link(true)).toMatch(/&ticket=ticket-2$/);
    host.call = () =>
      Promise.reject(new HostFault({ code: -3, message: "Only hosts may do this." }));
    expect(await link(true)).toBe("Only hosts may do this.");
    expect(await store.setDoor({ waitingRoom: true })).toBe(false);
    expect(store.get().toasts.at(-1)?.text).toBe("Only hosts may do this.");
  });
});
