import { HostFault, type Host } from "../host/host";
import type { AppState } from "../types/AppState";
import type { Event } from "../types/Event";
import type { HostAction } from "../types/HostAction";
import type { Hosting } from "../types/Hosting";
import type { InvitationForms } from "../types/InvitationForms";
import type { MadeTicket } from "../types/MadeTicket";
import type { OtherRoom } from "../types/OtherRoom";
import type { RawEnterParams } from "../types/RawEnterParams";
import type { Request } from "../types/Request";
import type { Role } from "../types/Role";
import type { Scene } from "../types/Scene";
import type { VoiceProcessing } from "../types/VoiceProcessing";
import { KIND_NUMBERS, SYSTEM_DEFAULT, type DeviceKindName } from "./devices";
import { invitedTo } from "./invitation";
import {
  checkForm,
  EMPTY_FORM,
  firstWrong,
  identityOf,
  isSeen,
  roleOf,
  roomOf,
  type JoinForm,
} from "./join";
import { rememberForm, rememberedForm } from "./memory";
import { dataOf } from "./messages";
import type { Muted } from "./receiving";
import { initialState, pageOf, reduce, type Action, type State } from "./state";
import { ANCHOR, AUDIENCE } from "./terms";

type StoreOptions = {
  /** Milliseconds since 1970. */
  now: () => number;
  storage: Storage | null;
};

/** The state, and what the page may ask for. Nothing throws: what goes wrong is in the state. */
export class Store {
  private state: State;
  private readonly listeners = new Set<() => void>();
  /** Each attempt to join has a number: one given up cannot go on behind the person's back. */
  private attempt = 0;
  private microphoneOnEntry = false;
  /** The backend was last told to receive everything by itself, or nothing about that. */
  private receivesAll: boolean;
  /** Whose picture was asked for: everybody who shows one has a tile. */
  private readonly watched = new Set<string>();

  constructor(
    private readonly host: Host,
    private readonly options: StoreOptions,
  ) {
    this.state = initialState({ ...EMPTY_FORM, ...rememberedForm(options.storage) });
    const { receiveAudio, receiveVideo } = this.state.joining.form;
    this.receivesAll = receiveAudio && receiveVideo;
  }

  readonly get = (): State => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  dispatch(action: Action): void {
    const next = reduce(this.state, action);
    if (next === this.state) return;
    this.state = next;
    for (const listener of this.listeners) listener();
  }

  call(request: Request): Promise<unknown> {
    return this.host.call(request);
  }

  /** Tells the backend where pictures belong. */
  lay(scene: Scene): void {
    this.call({ command: "set_stage", args: scene }).catch((thrown: unknown) => {
      this.complain(thrown);
    });
  }

  /** Pulls what the tiles show, where the page draws; see {@link Host.frames}. */
  readonly frames: Host["frames"] = (after, signal) => this.host.frames(after, signal);

  /** Asks the backend for its state and follows it. Returns what ends that. */
  start(): () => void {
    const stop = this.host.onEvent((event) => {
      this.take(event);
    });
    this.host
      .call({ command: "get_state", args: {} })
      .then((data) => {
        this.take({ event: "state", data: data as AppState });
      })
      // The link that the app was started with.
      .then(() => this.takeInvitation())
      .catch((thrown: unknown) => {
        this.complain(thrown);
      });
    return stop;
  }

  /** Somebody touched the window: the preview may begin. A script alone never opens a device. */
  async attend(): Promise<void> {
    if (this.state.attended) return;
    this.dispatch({ type: "attended" });
    if (pageOf(this.state) === "join") await this.preview();
  }

  /** Takes in what was typed or chosen. The preview goes and comes with the kind of meeting. */
  edit(change: Partial<JoinForm>): void {
    const before = wantsCamera(this.state.joining.form);
    this.dispatch({ type: "edit", change });
    const wanted = wantsCamera(this.state.joining.form);
    if (!this.state.attended || wanted === before) return;
    const command = wanted ? "start_local_video" : "stop_local_video";
    void this.quietly({ command, args: {} });
  }

  async join(): Promise<void> {
    const { form, step } = this.state.joining;
    if (step !== null) return;
    const errors = checkForm(form, this.state.app.hosting !== null);
    this.dispatch({ type: "wrong", errors });
    if (firstWrong(errors) !== null) return;
    rememberForm(this.options.storage, form);
    const mine = ++this.attempt;
    try {
      await this.enter(form, () => mine !== this.attempt);
    } catch (thrown) {
      if (mine !== this.attempt) return;
      const { code, detail, message } = HostFault.from(thrown);
      this.dispatch({ type: "refused", code, detail, message });
    }
  }

  async cancelJoin(): Promise<void> {
    this.attempt++;
    const { step } = this.state.joining;
    const entering = step === "entering" || step === "waiting";
    this.dispatch({ type: "step", step: null });
    this.microphoneOnEntry = false;
    if (entering) await this.openly({ command: "exit_room", args: {} });
  }

  /** Leaves the room, closes all that are open here, or ends this one for everybody. */
  async leave(how: "leave" | "end" | "dismiss"): Promise<void> {
    if (how === "dismiss") return this.act({ action: "dismiss" });
    await this.openly({ command: how === "end" ? "stop_hosting" : "exit_room", args: {} });
  }

  /** Does what a host does. */
  async act(action: HostAction): Promise<void> {
    await this.openly({ command: "host_action", args: action });
  }

  /** Asks the backend; a refusal is a message on the page. Whether it was accepted. */
  async openly(request: Request): Promise<boolean> {
    try {
      await this.host.call(request);
      return true;
    } catch (thrown) {
      this.complain(thrown);
      return false;
    }
  }

  /** Receives voices or pictures of nobody, also not of those who come later, or of everybody again. */
  async muteAll(what: keyof Muted, mute: boolean): Promise<void> {
    if (await this.openly({ command: MUTE_ALL[what], args: { mute } })) {
      this.dispatch({ type: "all-muted", what, muted: mute });
    }
  }

  /** Sends a message of the app's own to everybody in the room; whether it was sent. */
  async sendMessage(cmdId: number, text: string, reliable: boolean): Promise<boolean> {
    return this.openly({
      command: "send_custom_cmd_msg",
      args: { cmdId, data: dataOf(text), reliable, ordered: reliable },
    });
  }

  /** Goes to another room of the server; whether it was accepted. How it went is told by events. */
  async switchRoom(to: OtherRoom): Promise<boolean> {
    return this.openly({ command: "switch_room", args: to });
  }

  /** Stays, while the other room has not let us in. */
  async cancelSwitch(): Promise<void> {
    await this.openly({ command: "cancel_switch_room", args: {} });
  }

  /** Goes on stage, or off it, with a fresh PrivateMapKey if one is given; whether it was accepted. */
  async switchRole(privateMapKey = ""): Promise<boolean> {
    const { room } = this.state.app;
    if (room === null) return false;
    const role: Role = room.role === AUDIENCE ? ANCHOR : AUDIENCE;
    const key = privateMapKey.trim();
    const args = { role, ...(key === "" ? {} : { privateMapKey: key }) };
    return this.openly({ command: "switch_role", args });
  }

  /** Uses another device; "" is the system's own choice. */
  async selectDevice(kind: DeviceKindName, id: string): Promise<void> {
    const deviceId = id === "" ? SYSTEM_DEFAULT : id;
    await this.openly({
      command: "select_device",
      args: { kind: KIND_NUMBERS[kind], deviceId },
    });
  }

  /** Changes what is done to one's voice; what is left out stays. */
  async setVoice(change: Partial<VoiceProcessing>): Promise<void> {
    await this.openly({ command: "set_voice_processing", args: change });
  }

  /** Opens the microphone on the join page while its level is looked at, where it is wished for. */
  listen(on: boolean): void {
    const { app, joining } = this.state;
    if (pageOf(this.state) !== "join" || joining.step !== null || app.microphone.on === on) return;
    if (on && !(joining.form.microphone && roleOf(joining.form) === ANCHOR)) return;
    const command = on ? "start_local_audio" : "stop_local_audio";
    void this.quietly({ command, args: {} });
  }

  /** Answers whether the window closes, with which others lose their rooms. */
  answerClose(close: boolean): void {
    this.host.closeWindow(close);
  }

  async toggleMicrophone(): Promise<void> {
    if (pageOf(this.state) === "join") {
      const { microphone } = this.state.joining.form;
      this.dispatch({ type: "edit", change: { microphone: !microphone } });
      return;
    }
    const { on, muted } = this.state.app.microphone;
    // The wish is kept, so that joining again goes on the same way.
    this.dispatch({ type: "edit", change: { microphone: !on || muted } });
    await this.openly(
      on
        ? { command: "mute_local_audio", args: { mute: !muted } }
        : { command: "start_local_audio", args: {} },
    );
  }

  async toggleCamera(): Promise<void> {
    const { on } = this.state.app.camera;
    // Who begins with this button wants what it says, and not what any first click does besides.
    this.dispatch({ type: "attended" });
    this.dispatch({ type: "edit", change: { camera: !on } });
    const request: Request = {
      command: on ? "stop_local_video" : "start_local_video",
      args: {},
    };
    // On the join page what is wrong with the camera stands in the preview.
    if (pageOf(this.state) === "join") await this.quietly(request);
    else await this.openly(request);
  }

  /** Lets other computers in to the rooms open here, or no longer. */
  async setLan(lan: boolean): Promise<void> {
    await this.openly({ command: "host_room", args: { lan } });
  }

  /** Lets people outside this network in to the rooms open here, or no longer. */
  async setOutside(outside: boolean): Promise<void> {
    await this.openly({ command: "host_room", args: { outside } });
  }

  /** Changes who comes in to the rooms open here; what is left out stays. Whether it was done. */
  async setDoor(door: { passcode?: string; waitingRoom?: boolean }): Promise<boolean> {
    return this.openly({ command: "host_room", args: door });
  }

  /** What brings others into the room that one is in, or one person once; a sentence where nothing can. */
  async invitation(once = false): Promise<InvitationForms | string> {
    try {
      const args = once
        ? ((await this.host.call({ command: "make_ticket", args: {} })) as MadeTicket)
        : {};
      const made = await this.host.call({ command: "make_invitation", args });
      return made as InvitationForms;
    } catch (thrown) {
      return HostFault.from(thrown).message;
    }
  }

  /** Fills the form from an invitation that was pasted into it, or says what is wrong with that. */
  async paste(text: string): Promise<void> {
    try {
      const read = await this.host.call({ command: "parse_invitation", args: { text } });
      this.edit(invitedTo(read as RawEnterParams).change);
    } catch (thrown) {
      const errors = { server: HostFault.from(thrown).message };
      this.dispatch({ type: "wrong", errors });
    }
  }

  /** Answers whether to leave for the room that one was invited to. Its form waits then. */
  async answerInvitation(accepted: boolean): Promise<void> {
    const { step } = this.state.joining;
    this.dispatch({ type: "invitation-answered", accepted });
    if (!accepted) return;
    if (step !== null) await this.cancelJoin();
    else if (this.state.app.phase !== "idle") await this.leave("leave");
  }

  /** Looks for others who host in the network. Returns what ends that. */
  lookAround(): () => void {
    void this.quietly({ command: "start_nearby", args: {} });
    return () => {
      void this.quietly({ command: "stop_nearby", args: {} });
    };
  }

  /** Says that something on the page did not work. */
  failed(message: string): void {
    this.dispatch({ type: "failed", message, now: this.options.now() });
  }

  /** Devices were let go with the meeting; who goes on to the form sees themselves as before. */
  async backToStart(): Promise<void> {
    this.dispatch({ type: "notice-read" });
    await this.preview();
  }

  async joinAgain(): Promise<void> {
    this.dispatch({ type: "notice-read" });
    await this.join();
  }

  private async preview(): Promise<void> {
    if (wantsCamera(this.state.joining.form) && !this.state.app.camera.on) {
      await this.quietly({ command: "start_local_video", args: {} });
    }
  }

  /** The steps of an entry; `stale` says that it was given up meanwhile. */
  private async enter(form: JoinForm, stale: () => boolean): Promise<void> {
    if (form.where === "host") this.dispatch({ type: "step", step: "hosting" });
    const hosting = form.where === "host" ? await this.openRooms(form) : null;
    if (stale()) return;
    this.dispatch({ type: "step", step: "entering" });
    await this.prepareDevices(form);
    await this.chooseReceived(form);
    if (stale()) return;
    await this.host.call({
      command: "enter_room",
      args: {
        server: hosting?.server ?? form.server.trim(),
        ...identityOf(form),
        name: form.name.trim(),
        ...roomOf(form),
        scene: form.scene,
        role: roleOf(form),
      },
    });
  }

  private async openRooms(form: JoinForm): Promise<Hosting> {
    const open = this.state.app.hosting;
    // Once it is open it has switches of its own.
    if (open !== null) return open;
    const port = form.hostPort.trim();
    const args = {
      ...(port === "" ? {} : { port: Number(port) }),
      lan: form.lan,
      passcode: form.hostPasscode,
      waitingRoom: form.hostWaiting,
    };
    return (await this.host.call({ command: "host_room", args })) as Hosting;
  }

  /** The camera as wished and as the scene allows. The microphone opens only once one is inside. */
  private async prepareDevices(form: JoinForm): Promise<void> {
    if (!isSeen(form)) {
      await this.quietly({ command: "stop_local_video", args: {} });
    } else if (form.camera && !this.state.app.camera.on) {
      await this.quietly({ command: "start_local_video", args: {} });
    }
    this.microphoneOnEntry = form.microphone && roleOf(form) === ANCHOR;
  }

  /**
   * Says what comes of the others without being asked for. What does not is muted as well: so the state
   * shows it of each of them, and unmuting asks for it.
   */
  private async chooseReceived({
    receiveAudio: audio,
    receiveVideo: video,
  }: JoinForm): Promise<void> {
    const all = audio && video;
    // A flag that the app was started with holds until a switch was used.
    if (all && this.receivesAll) return;
    this.receivesAll = false;
    await this.host.call({ command: "set_default_stream_recv_mode", args: { audio, video } });
    for (const [what, muted] of [
      ["voices", !audio],
      ["pictures", !video],
    ] as const) {
      await this.host.call({ command: MUTE_ALL[what], args: { mute: muted } });
      this.dispatch({ type: "all-muted", what, muted });
    }
    this.receivesAll = all;
  }

  private take(event: Event): void {
    const { goingOn } = this.state;
    this.dispatch({ type: "event", event, now: this.options.now() });
    if (event.event === "state") this.askForPictures(event.data);
    if (event.event === "onEnterRoom") this.onEntry(event.data.result >= 0);
    if (event.event === "invited") void this.takeInvitation();
    if (goingOn && !this.state.goingOn && pageOf(this.state) === "join") void this.preview();
  }

  /** The invitation that was opened outside of the page, if there is one. */
  private async takeInvitation(): Promise<void> {
    try {
      const read = await this.host.call({ command: "take_invitation", args: {} });
      if (read === null) return;
      const invited = invitedTo(read as RawEnterParams);
      this.dispatch({ type: "invited", invited, now: this.options.now() });
    } catch (thrown) {
      this.complain(thrown);
    }
  }

  private onEntry(inside: boolean): void {
    const wanted = inside && this.microphoneOnEntry;
    this.microphoneOnEntry = false;
    // Without a microphone one can still listen: the meeting goes on, and a message says why.
    if (wanted) void this.openly({ command: "start_local_audio", args: {} });
  }

  private askForPictures({ participants }: AppState): void {
    const showing = new Set(
      participants.filter((one) => one.videoAvailable).map(({ userId }) => userId),
    );
    for (const userId of this.watched) if (!showing.has(userId)) this.watched.delete(userId);
    for (const userId of showing) {
      if (this.watched.has(userId)) continue;
      this.watched.add(userId);
      void this.quietly({ command: "start_remote_view", args: { userId, streamType: 0 } });
    }
  }

  /** Without a message: a device's fault is part of the state and shown where it counts. */
  private async quietly(request: Request): Promise<void> {
    await this.host.call(request).catch(() => undefined);
  }

  private complain(thrown: unknown): void {
    const { code, message } = HostFault.from(thrown);
    this.dispatch({ type: "complained", fault: { code, message }, now: this.options.now() });
  }
}

const MUTE_ALL = {
  voices: "mute_all_remote_audio",
  pictures: "mute_all_remote_video_streams",
} as const;

function wantsCamera(form: JoinForm): boolean {
  return form.camera && isSeen(form);
}
