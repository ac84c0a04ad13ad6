import type { AppState } from "../types/AppState";
import type { DeviceView } from "../types/DeviceView";
import type { Event } from "../types/Event";
import type { ExitView } from "../types/ExitView";
import type { Fault } from "../types/Fault";
import type { InvitationForms } from "../types/InvitationForms";
import type { Hosting } from "../types/Hosting";
import type { Participant } from "../types/Participant";
import type { Quality } from "../types/Quality";
import type { RawEnterParams } from "../types/RawEnterParams";
import type { Request } from "../types/Request";
import type { Scene } from "../types/Scene";
import { localFigures, remoteFigures, statistics } from "../state/figures.samples";
import { IDLE } from "../state/state";
import { AUDIENCE, hasRoles } from "../state/terms";
import { HostFault, type Host } from "./host";

const NAMES = [
  "Grace Hopper",
  "Edsger Dijkstra",
  "Barbara Liskov",
  "Tony Hoare",
  "Frances Allen",
  "Niklaus Wirth",
  "Margaret Hamilton",
  "Donald Knuth",
  "Radia Perlman",
  "Ken Thompson",
  "Adele Goldberg",
];

const DEVICES: readonly DeviceView[] = [
  { kind: 2, deviceId: "cam-1", name: "Webcam HD", isDefault: false },
  { kind: 0, deviceId: "mic-1", name: "Built-in microphone", isDefault: true },
  { kind: 0, deviceId: "mic-2", name: "Headset", isDefault: false },
  { kind: 1, deviceId: "speaker-1", name: "Built-in speaker", isDefault: true },
];

export type FakeOptions = {
  /** How many others are in every room. */
  people?: number;
  /** Refuse entry with this code. */
  refuse?: { code: number; message: string };
  /** Milliseconds between a request and what follows from it; 0 answers at once. */
  delay?: number;
  /** No camera is there. */
  noCamera?: boolean;
  /** What every text is read as that may hold an invitation. */
  invitation?: RawEnterParams | Fault;
};

/** A backend that plays a meeting, for tests and for looking at the page in a browser. */
export type FakeHost = Host & {
  /** Every request so far. */
  readonly calls: Request[];
  /** Sends an event as the backend would. */
  emit(event: Event): void;
  /** Changes the backend's state and announces it. */
  change(change: Partial<AppState>): void;
  /** Ends the meeting as the server would. */
  leave(exit: ExitView): void;
  /** Somebody opened an invitation outside of the window. */
  invite(invitation: RawEnterParams | Fault): void;
  /** The answers to whether the window may close. */
  closings: boolean[];
  /** What the page last said about its tiles. */
  stage(): Scene | null;
  state(): AppState;
};

export function fakeHost(options: FakeOptions = {}): FakeHost {
  const { people = 3, delay = 0, refuse, noCamera = false } = options;
  const listeners = new Set<(event: Event) => void>();
  const calls: Request[] = [];
  const closings: boolean[] = [];
  let state: AppState = { ...IDLE, devices: [...DEVICES] };
  let stage: Scene | null = null;
  let waiting: RawEnterParams | Fault | null = null;
  let entry: ReturnType<typeof setTimeout> | undefined;
  let tickets = 0;
  let mutes = NO_MUTES;

  const emit = (event: Event) => {
    for (const listener of listeners) listener(event);
  };
  const change = (part: Partial<AppState>) => {
    state = { ...state, ...part };
    emit({ event: "state", data: state });
  };
  const changePerson = (userId: string, part: Partial<Participant>) => {
    const participants = state.participants.map((one) =>
      one.userId === userId ? { ...one, ...part } : one,
    );
    change({ participants });
  };
  const changeAll = (part: Partial<typeof NO_MUTES>) => {
    mutes = { ...mutes, ...part };
    change({ participants: state.participants.map((one) => ({ ...one, ...part })) });
  };
  const later = (work: () => void) => {
    if (delay === 0) work();
    else entry = setTimeout(work, delay);
  };
  const leave = (exit: ExitView) => {
    mutes = NO_MUTES;
    change({
      exit,
      phase: "idle",
      room: null,
      participants: [],
      camera: IDLE.camera,
      microphone: IDLE.microphone,
    });
    emit({ event: "onExitRoom", data: exit });
  };

  const enter = (args: Extract<Request, { command: "enter_room" }>["args"]) => {
    if (state.phase !== "idle") {
      throw new HostFault({ code: -3340, message: "You are already in a room." });
    }
    change({
      phase: "entering",
      exit: null,
      room: {
        server: args.server ?? "http://127.0.0.1:7880",
        sdkAppId: args.sdkAppId ?? 0,
        roomId: args.roomId ?? null,
        strRoomId: args.strRoomId ?? null,
        scene: args.scene ?? 0,
        role: args.role ?? 20,
        userId: args.userId ?? "",
        name: args.name ?? "",
        enteredAt: null,
      },
    });
    later(() => {
      if (refuse) {
        change({ phase: "idle", room: null });
        emit({ event: "onError", data: refuse });
        emit({ event: "onEnterRoom", data: { result: refuse.code } });
        return;
      }
      const room = state.room && { ...state.room, enteredAt: Date.now() };
      const inside = others(people, args.scene ?? 0).map((one) => ({ ...one, ...mutes }));
      change({ phase: "in", room, participants: inside });
      emit({ event: "onEnterRoom", data: { result: 42 } });
      for (const event of figures(state.participants)) emit(event);
    });
  };

  const answer = (request: Request): unknown => {
    switch (request.command) {
      case "get_state":
        return state;
      case "set_stage":
        stage = request.args;
        return null;
      case "start_local_video":
        if (noCamera) {
          const fault = {
            code: 1111,
            detail: null,
            message: "No camera was found on this computer.",
          };
          change({ camera: { on: false, ready: false, muted: false, fault } });
          throw new HostFault(fault);
        }
        change({ camera: { on: true, ready: delay === 0, muted: false, fault: null } });
        if (delay > 0) {
          setTimeout(() => {
            if (state.camera.on)
              change({ camera: { on: true, ready: true, muted: false, fault: null } });
          }, delay);
        }
        return null;
      case "stop_local_video":
        change({ camera: IDLE.camera });
        return null;
      case "start_local_audio":
        change({ microphone: { ...IDLE.microphone, on: true } });
        return null;
      case "stop_local_audio":
        change({ microphone: IDLE.microphone });
        return null;
      case "mute_local_audio":
        change({ microphone: { ...state.microphone, muted: request.args.mute } });
        return null;
      case "list_devices":
        return state.devices;
      case "select_device": {
        const { kind, deviceId } = request.args;
        const name = kind === 0 ? "microphone" : kind === 1 ? "speaker" : "camera";
        const id = deviceId === "device" ? null : deviceId;
        change({ selected: { ...state.selected, [name]: id } });
        return null;
      }
      case "set_voice_processing":
        change({ voiceProcessing: { ...state.voiceProcessing, ...request.args } });
        return null;
      case "host_room": {
        const wanted = request.args.outside === true;
        const lan = (request.args.lan ?? state.hosting?.lan ?? false) || wanted;
        const open = lan && (request.args.outside ?? state.hosting?.outside.state === "open");
        const { passcode, port = portOf(state.hosting) } = request.args;
        const elsewhere = `203.0.113.9:${port}`;
        const hosting: Hosting = {
          server: `http://127.0.0.1:${port}`,
          lan,
          addresses: [
            ...(open ? [elsewhere] : []),
            `${lan ? "192.168.1.20" : "127.0.0.1"}:${port}`,
          ],
          fingerprint: "q".repeat(43),
          sdkAppId: 1400000001,
          outside: open
            ? { state: "open", address: elsewhere, message: null }
            : { state: "off", address: null, message: null },
          passcode: passcode === undefined ? (state.hosting?.passcode ?? false) : passcode !== "",
          waitingRoom: request.args.waitingRoom ?? state.hosting?.waitingRoom ?? false,
        };
        change({ hosting });
        return hosting;
      }
      case "stop_hosting": {
        if (state.room !== null) {
          leave({ reason: 2, cause: "host_stopped", by: null, message: "" });
        }
        change({ hosting: null });
        return null;
      }
      case "make_user_sig":
        return {
          sdkAppId: request.args.sdkAppId ?? 1400000001,
          userId: request.args.userId ?? "",
          userSig: "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwimJxSVKVgYA",
        };
      case "enter_room":
        enter(request.args);
        return null;
      case "parse_invitation":
        return read(options.invitation ?? NO_INVITATION);
      case "take_invitation": {
        const taken = waiting;
        waiting = null;
        return taken === null ? null : read(taken);
      }
      case "make_ticket":
        return { ticket: `ticket-${++tickets}` };
      case "make_invitation":
        return formsOf(state, request.args);
      case "switch_room": {
        const { room } = state;
        if (room === null) throw new HostFault({ code: -3, message: "You are in no room." });
        const { roomId = null, strRoomId = null } = request.args;
        change({ switching: { room: { ...room, roomId, strRoomId }, waiting: false } });
        return null;
      }
      case "cancel_switch_room":
        change({ switching: null });
        emit({ event: "onSwitchRoom", data: { code: -3, message: "You stay in this room." } });
        return null;
      case "switch_role": {
        const { room } = state;
        if (room === null) throw new HostFault({ code: -3, message: "You are in no room." });
        const { role } = request.args;
        change({ room: { ...room, role } });
        emit({ event: "onSwitchRole", data: { code: 0, message: "", role } });
        return null;
      }
      case "send_custom_cmd_msg":
        if (state.room?.role === AUDIENCE && hasRoles(state.room.scene)) {
          throw new HostFault({ code: 6001, message: NO_MESSAGES });
        }
        if (atob(request.args.data).length > 1000) {
          throw new HostFault({ code: -2, message: "At most 1000 bytes are allowed." });
        }
        return null;
      case "set_default_stream_recv_mode":
        return null;
      case "mute_all_remote_audio":
        changeAll({ audioMuted: request.args.mute });
        return null;
      case "mute_all_remote_video_streams":
        changeAll({ videoMuted: request.args.mute });
        return null;
      case "mute_remote_audio":
        changePerson(request.args.userId, { audioMuted: request.args.mute });
        return null;
      case "mute_remote_video_stream":
        changePerson(request.args.userId, { videoMuted: request.args.mute });
        return null;
      case "start_nearby":
        change({ nearby: state.nearby ?? [] });
        return null;
      case "stop_nearby":
        return null;
      case "exit_room":
        clearTimeout(entry);
        if (state.room === null) return null;
        leave({ reason: 0, cause: "left", by: null, message: "" });
        return null;
      default:
        return null;
    }
  };

  return {
    calls,
    emit,
    change,
    leave,
    stage: () => stage,
    state: () => state,
    call(request) {
      calls.push(request);
      return new Promise((resolve) => {
        resolve(answer(request));
      });
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    // Nothing here comes from a decoder.
    frames: () => new Promise(() => undefined),
    closeWindow: (close) => closings.push(close),
    closings,
    invite(invitation) {
      waiting = invitation;
      emit({ event: "invited", data: {} });
    },
  };
}

function portOf(hosting: Hosting | null): number {
  return Number(hosting?.server.split(":").at(-1) ?? 7880);
}

const NO_MESSAGES =
  "You are in the audience, so your message was not sent. Only anchors can send messages.";

const NO_MUTES = { audioMuted: false, videoMuted: false };

const NO_INVITATION: Fault = { code: -2, message: "This is no invitation." };

function read(invitation: RawEnterParams | Fault): RawEnterParams {
  if ("code" in invitation) throw new HostFault(invitation);
  return invitation;
}

function formsOf({ room, hosting }: AppState, { ticket }: RawEnterParams): InvitationForms {
  if (hosting?.lan === true && hosting.addresses.length === 0) {
    throw new HostFault({ code: -3, message: "This computer is in no network." });
  }
  const server = hosting?.addresses[0] ?? room?.server ?? "";
  const word = hosting?.passcode === true ? "&passcode=tea" : "";
  const lets = ticket === undefined ? word : `&ticket=${ticket}`;
  const query = `join?server=${server}&room=${room?.strRoomId ?? room?.roomId ?? ""}${lets}`;
  const [link, page] = [`confab://${query}`, `https://${server}/${query}`];
  return { link, page, message: `Join my Confab meeting: ${link}` };
}

/** How well the connections do: mine is good, that of the third is poor. */
function figures(people: readonly Participant[]): Event[] {
  const quality = (index: number): Quality => (index === 2 ? 3 : index % 2 === 0 ? 1 : 2);
  const remote = people.map(({ userId }, index) => ({ userId, quality: quality(index) }));
  const streams = people.map(({ userId, videoAvailable, audioAvailable }, index) =>
    remoteFigures({
      userId,
      ...(videoAvailable ? {} : { width: 0, height: 0, frameRate: 0, videoBitrate: 0 }),
      ...(audioAvailable ? {} : { audioSampleRate: 0, audioBitrate: 0 }),
      audioPacketLoss: index === 2 ? 12 : 0,
    }),
  );
  return [
    {
      event: "onStatistics",
      data: statistics({
        localStatisticsArray: [localFigures({})],
        remoteStatisticsArray: streams,
      }),
    },
    { event: "onNetworkQuality", data: { local: { userId: "", quality: 2 }, remote } },
  ];
}

function others(count: number, scene: number): Participant[] {
  const pictures = scene === 0 || scene === 1;
  return Array.from({ length: count }, (_, index) => ({
    userId: `user-${index + 1}`,
    name: NAMES[index % NAMES.length] ?? "",
    role: 20,
    videoAvailable: pictures && index % 4 !== 2,
    audioAvailable: index % 3 !== 1,
    screenAvailable: false,
    videoSize: pictures && index % 4 !== 2 ? [1280, 720] : null,
    audioLevel: 0,
    speaking: index === 0,
    videoMuted: false,
    audioMuted: false,
  }));
}
