import type { AppState } from "../types/AppState";
import type { DeviceView } from "../types/DeviceView";
import type { Event } from "../types/Event";
import type { ExitView } from "../types/ExitView";
import type { Participant } from "../types/Participant";
import type { Request } from "../types/Request";
import type { Scene } from "../types/Scene";
import { IDLE } from "../state/state";
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
  let state: AppState = IDLE;
  let stage: Scene | null = null;
  let entry: ReturnType<typeof setTimeout> | undefined;

  const emit = (event: Event) => {
    for (const listener of listeners) listener(event);
  };
  const change = (part: Partial<AppState>) => {
    state = { ...state, ...part };
    emit({ event: "state", data: state });
  };
  const later = (work: () => void) => {
    if (delay === 0) work();
    else entry = setTimeout(work, delay);
  };
  const leave = (exit: ExitView) => {
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
      change({ phase: "in", room, participants: others(people, args.scene ?? 0) });
      emit({ event: "onEnterRoom", data: { result: 42 } });
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
        return DEVICES;
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
        const hosting = {
          server: "http://127.0.0.1:7880",
          addresses: [request.args.lan ? "192.168.1.20:7880" : "127.0.0.1:7880"],
          sdkAppId: 1400000001,
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
    closeWindow: (close) => closings.push(close),
    closings,
  };
}

function others(count: number, scene: number): Participant[] {
  const pictures = scene === 0 || scene === 1;
  return Array.from({ length: count }, (_, index) => ({
    userId: `user-${index + 1}`,
    name: NAMES[index % NAMES.length] ?? "",
    role: 20,
    videoAvailable: pictures && index % 4 !== 2,
    audioAvailable: index % 3 !== 1,
    videoSize: pictures && index % 4 !== 2 ? [1280, 720] : null,
    audioLevel: 0,
    speaking: index === 0,
  }));
}
