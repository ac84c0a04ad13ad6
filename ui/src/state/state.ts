import type { AppState } from "../types/AppState";
import type { Event } from "../types/Event";
import type { ExitView } from "../types/ExitView";
import type { Hosting } from "../types/Hosting";
import type { RoomView } from "../types/RoomView";
import { UNKNOWN, withListed, withUsed, type Known } from "./devices";
import { noticeOf, type Notice } from "./exit";
import { hostWords } from "./host";
import { EMPTY_FORM, needsAdvanced, type FieldErrors, type JoinForm } from "./join";
import { edit, explainsEntry, fail, refuse, type Joining, type Step } from "./joining";
import { AUDIENCE } from "./terms";
import { withMissed, withReceived, type Message } from "./messages";
import { NOTHING_MUTED, type Muted } from "./receiving";
import { INVALID_PERMISSION } from "./role";
import { UNMEASURED, withoutConnection, withQualities, type Network } from "./network";
import { addJoined, addToast, withoutDevice, type Device, type Toast } from "./toast";
import { isIn, type Invited } from "./invitation";
import { inWords } from "./words";

export type Connection = "fine" | "lost" | "reconnecting";

/** What may stand beside the gallery. */
export type Panel = "people" | "connection" | "messages";

/** Everything the page shows. A value: only {@link reduce} makes a new one. */
export type State = {
  app: AppState;
  joining: Joining;
  /** The notice about the last exit, until the person goes on. */
  notice: Notice | null;
  connection: Connection;
  /** When the meeting began, milliseconds since 1970; null outside a meeting. */
  since: number | null;
  /** The last room that was entered: still known when the backend has let it go. */
  room: RoomView | null;
  /** This computer carries, or carried, that room. */
  hosted: boolean;
  panel: Panel | null;
  /** The last switch of role was refused for want of a permission. */
  permissionRefused: boolean;
  /** What I receive of nobody. */
  muted: Muted;
  /** What others sent of the app's own in this room, the newest first. */
  messages: readonly Message[];
  /** How well the connections in the room do. */
  network: Network;
  /** What is known of devices, also of those that are gone. */
  devices: Known;
  /** Somebody is at the window: nothing opens the camera before. */
  attended: boolean;
  toasts: readonly Toast[];
  /** Somebody wants to close the window while this computer hosts rooms. */
  closeAsked: boolean;
  /** Where somebody who is in a room was invited to, until they answer. */
  invited: Invited | null;
  /** Who leaves goes on to another room: no notice stands in the way. */
  goingOn: boolean;
  /** What people are called who were in the room, by user ID: those who are kept out are known by no more. */
  names: ReadonlyMap<string, string>;
  /** The latest thing to be read out by a screen reader. */
  spoken: string;
};

/** A fault of the backend. */
type Said = { code: number; message: string };

export type Action =
  | { type: "event"; event: Event; now: number }
  | { type: "edit"; change: Partial<JoinForm> }
  | { type: "advanced"; open: boolean }
  | { type: "wrong"; errors: FieldErrors }
  | { type: "step"; step: Step | null }
  | { type: "refused"; code: number; detail: number | null; message: string }
  | { type: "panel"; panel: Panel | null }
  | { type: "all-muted"; what: keyof Muted; muted: boolean }
  | { type: "notice-read" }
  | { type: "attended" }
  | { type: "close-answered" }
  | { type: "invited"; invited: Invited; now: number }
  | { type: "invitation-answered"; accepted: boolean }
  | { type: "failed"; message: string; now: number }
  | { type: "complained"; fault: Said; now: number }
  | { type: "toast-closed"; id: number };

/** How long after entry, in milliseconds, people still count as having been there. */
const SETTLED = 2_000;

const CAMERA_CODES: ReadonlySet<number> = new Set([1111, 1112, -1301, -1314, -1315, -1316]);
const MICROPHONE_CODES: ReadonlySet<number> = new Set([
  1201, 1203, 1204, -1302, -1317, -1318, -1319,
]);

export const IDLE: AppState = {
  phase: "idle",
  room: null,
  hosting: null,
  camera: { on: false, ready: false, muted: false, fault: null },
  microphone: { on: false, muted: false, speaking: false, level: 0, fault: null },
  speaker: { fault: null },
  devices: [],
  selected: { camera: null, microphone: null, speaker: null },
  voiceProcessing: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  participants: [],
  roomState: null,
  waiting: [],
  switching: null,
  exit: null,
  userId: "",
};

export function initialState(form: JoinForm = EMPTY_FORM): State {
  return {
    app: IDLE,
    joining: {
      form,
      errors: {},
      complaints: 0,
      refusal: null,
      advanced: false,
      step: null,
      unexplained: null,
    },
    notice: null,
    connection: "fine",
    since: null,
    room: null,
    hosted: false,
    panel: null,
    permissionRefused: false,
    muted: NOTHING_MUTED,
    messages: [],
    network: UNMEASURED,
    devices: UNKNOWN,
    attended: false,
    toasts: [],
    closeAsked: false,
    invited: null,
    goingOn: false,
    names: new Map(),
    spoken: "",
  };
}

type Page = "join" | "meeting" | "exit";

export function pageOf(state: State): Page {
  if (state.notice !== null) return "exit";
  return state.since !== null ? "meeting" : "join";
}

/** Whether the camera is on, or will be as soon as somebody is at the window. */
export function cameraWish({ app, attended, joining }: State): boolean {
  return app.camera.on || (!attended && joining.form.camera);
}

/** How this computer hosts the room one is in; null when it does not. */
export function hostingOf({ app, hosted }: State): Hosting | null {
  return hosted ? app.hosting : null;
}

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "event":
      return onEvent(state, action.event, action.now);
    case "edit":
      return { ...state, joining: edit(state.joining, action.change) };
    case "advanced":
      return { ...state, joining: { ...state.joining, advanced: action.open } };
    case "wrong": {
      const { joining } = state;
      const advanced = joining.advanced || needsAdvanced(action.errors);
      const complaints = joining.complaints + 1;
      return {
        ...state,
        joining: { ...joining, errors: action.errors, complaints, refusal: null, advanced },
      };
    }
    case "step": {
      const refusal = action.step === null ? state.joining.refusal : null;
      return {
        ...state,
        joining: { ...state.joining, step: action.step, refusal, unexplained: null },
      };
    }
    case "refused":
      return { ...state, joining: refuse(state.joining, action) };
    case "panel":
      return { ...state, panel: action.panel };
    case "all-muted":
      return { ...state, muted: { ...state.muted, [action.what]: action.muted } };
    case "notice-read":
      return { ...state, notice: null };
    case "close-answered":
      return { ...state, closeAsked: false };
    case "invited":
      return onInvited(state, action.invited, action.now);
    case "invitation-answered":
      return onInvitationAnswered(state, action.accepted);
    case "attended":
      return { ...state, attended: true };
    case "failed":
      return toast(state, "error", action.message, action.now);
    case "complained": {
      const kind = action.fault.code > 0 ? "warning" : "error";
      return complain(state, kind, action.fault, action.now);
    }
    case "toast-closed":
      return { ...state, toasts: state.toasts.filter(({ id }) => id !== action.id) };
  }
}

function onEvent(state: State, event: Event, now: number): State {
  switch (event.event) {
    case "state":
      return onState(state, event.data, now);
    case "closeAsked":
      return { ...state, closeAsked: true };
    case "onEnterRoom":
      if (event.data.result < 0)
        return { ...state, joining: fail(state.joining, event.data.result) };
      return {
        ...state,
        joining: { ...state.joining, step: null, errors: {}, refusal: null },
        notice: null,
        connection: "fine",
        since: state.since ?? now,
        panel: null,
        network: UNMEASURED,
        spoken: "You are in the meeting.",
      };
    case "onExitRoom":
      return onExit(state, event.data);
    case "onRemoteUserEnterRoom":
      // Those already inside are announced one by one right after entry: that is no news.
      return state.since === null || now - state.since < SETTLED
        ? state
        : {
            ...state,
            toasts: addJoined(state.toasts, event.data, now),
          };
    case "onRemoteUserLeaveRoom":
      return say(state, leftWords(state, event.data.userId, event.data.reason), now);
    case "onConnectionLost":
      return { ...state, connection: "lost", network: withoutConnection(state.network) };
    case "onTryToReconnect":
      return { ...state, connection: "reconnecting" };
    case "onConnectionRecovery":
      return toast({ ...state, connection: "fine" }, "info", "You are connected again.", now);
    case "onNetworkQuality":
      return { ...state, network: withQualities(state.network, event.data) };
    case "onStatistics":
      return { ...state, network: { ...state.network, statistics: event.data } };
    case "onError":
      if (inPreview(state, event.data.code)) return state;
      // The reason of a refused entry belongs on the form; it may come before the result or after.
      return explainsEntry(state.joining, event.data.code)
        ? { ...state, joining: refuse(state.joining, event.data) }
        : complain(state, "error", event.data, now);
    case "onSwitchRole": {
      const { code, message, role } = event.data;
      const next = { ...state, permissionRefused: code === INVALID_PERMISSION };
      if (code !== 0) return complain(next, "error", { code, message }, now);
      const words = role === AUDIENCE ? "You watch and listen now." : "You are on stage now.";
      return say(next, words, now);
    }
    case "onSwitchRoom":
      // What stands in the way was told as an error.
      return event.data.code !== 0
        ? state
        : {
            ...state,
            connection: "fine",
            since: now,
            panel: null,
            permissionRefused: false,
            messages: [],
            network: UNMEASURED,
            spoken: "You are in another room.",
          };
    case "onRecvCustomCmdMsg":
      return { ...state, messages: withReceived(state.messages, event.data) };
    case "onMissCustomCmdMsg":
      return { ...state, messages: withMissed(state.messages, event.data) };
    case "onHostAction": {
      const words = hostWords(state.app, event.data, event.data.by);
      return words === null ? state : say(state, words, now);
    }
    case "onWaitingList": {
      const known = new Set(state.app.waiting.map(({ userId }) => userId));
      const news = event.data.people.filter(({ userId }) => !known.has(userId));
      const [first, ...more] = news;
      if (first === undefined) return state;
      const name = first.name || first.userId;
      const words =
        more.length === 0
          ? `${name} waits to come in`
          : `${name} and ${more.length} more wait to come in`;
      return say(state, words, now);
    }
    case "onDeviceChange": {
      const { message } = event.data;
      const next = { ...state, devices: withUsed(state.devices, event.data) };
      return message === "" ? next : say(next, message, now);
    }
    case "onWarning":
      return inPreview(state, event.data.code)
        ? state
        : complain(state, "warning", event.data, now);
    default:
      return state;
  }
}

/** The camera's faults stand where its picture would be, before one joins. */
function inPreview(state: State, code: number): boolean {
  return pageOf(state) === "join" && state.joining.step === null && CAMERA_CODES.has(code);
}

/** The state and the events tell of one another; whichever comes first counts. */
function onState(state: State, app: AppState, now: number): State {
  const { phase, room, hosting } = app;
  const next: State = {
    ...state,
    app,
    joining: meant(state, app),
    toasts: mended(state, app),
    devices: withListed(state.devices, app.devices),
    names: named(state.names, app),
  };
  if (room !== null) {
    next.room = room;
    // Who stops hosting is still in the room for a moment, and did host it.
    next.hosted =
      hosting === null ? state.hosted && state.since !== null : hosting.server === room.server;
  }
  if (phase === "in" || phase === "reconnecting") {
    // Also after the page was loaded again in the middle of a meeting.
    return { ...next, notice: null, since: state.since ?? room?.enteredAt ?? now };
  }
  if (phase === "waiting") {
    return { ...next, notice: null, joining: { ...next.joining, step: "waiting" } };
  }
  if (phase === "entering") {
    // Also when a script enters, whatever page was open.
    const step = next.joining.step ?? "entering";
    return { ...next, notice: null, joining: { ...next.joining, step } };
  }
  // The last exit stands in the state until the next entry: it counts once.
  if (phase === "idle" && app.exit !== null && state.since !== null) return onExit(next, app.exit);
  return next;
}

/** Those who are here are remembered by name. */
function named(known: State["names"], { participants }: AppState): State["names"] {
  const news = participants.filter(({ userId, name }) => known.get(userId) !== name);
  if (news.length === 0) return known;
  return new Map([...known, ...news.map(({ userId, name }) => [userId, name] as const)]);
}

/** The server that the app was started with is filled in, once: what is typed later stays. */
function meant({ app: before, joining }: State, { server }: AppState): Joining {
  if (server === undefined || server === before.server) return joining;
  return edit(joining, { where: "server", server });
}

/** A device that works now and did not before: what was said about it is over. */
function mended({ app: before, toasts }: State, { camera, microphone }: AppState) {
  let left = toasts;
  if (camera.ready && !before.camera.ready) left = withoutDevice(left, "camera");
  if (microphone.on && !before.microphone.on) left = withoutDevice(left, "microphone");
  return left;
}

function onExit(state: State, exit: ExitView): State {
  const over: State = {
    ...state,
    joining: { ...state.joining, step: null },
    connection: "fine",
    since: null,
    panel: null,
    permissionRefused: false,
    muted: NOTHING_MUTED,
    messages: [],
    network: UNMEASURED,
    toasts: [],
    goingOn: false,
  };
  // An entry that was given up shows the form again: there was no meeting to leave.
  if (state.since === null) return over;
  if (state.goingOn && exit.cause === "left") return over;
  const notice = noticeOf(exit, roomInWords(state), state.hosted);
  return { ...over, notice, spoken: notice.title };
}

/** In no room the form is filled in; in one it is asked first. */
function onInvited(state: State, invited: Invited, now: number): State {
  const { app } = state;
  if (app.phase !== "idle" && isIn(invited, app.room)) {
    return say(state, "You are invited to the room that you are in.", now);
  }
  if (app.phase !== "idle" || state.joining.step !== null) return { ...state, invited };
  const filled: State = { ...state, notice: null, joining: edit(state.joining, invited.change) };
  return say(filled, `You are invited to ${invited.words}.`, now);
}

function onInvitationAnswered(state: State, accepted: boolean): State {
  const { invited } = state;
  const answered: State = { ...state, invited: null };
  if (!accepted || invited === null) return answered;
  const joining = edit(state.joining, invited.change);
  return { ...answered, joining, goingOn: state.since !== null };
}

/** What people call the room: its number or its name. */
export function roomLabel(state: State): string {
  const room = state.app.room ?? state.room;
  if (room !== null) return String(room.roomId ?? room.strRoomId ?? "");
  const { form } = state.joining;
  return form.roomKind === "number" ? form.roomNumber.trim() : form.roomText;
}

/** The same inside a sentence, where a name needs quotes. */
function roomInWords(state: State): string {
  const label = roomLabel(state);
  return (state.app.room ?? state.room)?.strRoomId == null ? label : `“${label}”`;
}

function leftWords(state: State, userId: string, reason: number): string {
  const who = state.app.participants.find((person) => person.userId === userId)?.name || userId;
  switch (reason) {
    case 1:
      return `${who} lost the connection`;
    case 2:
      return `${who} was removed`;
    case 3:
      return `${who} joined the audience`;
    default:
      return `${who} left`;
  }
}

function complain(state: State, kind: "warning" | "error", fault: Said, now: number): State {
  const device = deviceOf(fault.code);
  return { ...state, toasts: addToast(state.toasts, kind, inWords(fault), now, device) };
}

function deviceOf(code: number): Device | undefined {
  if (CAMERA_CODES.has(code)) return "camera";
  return MICROPHONE_CODES.has(code) ? "microphone" : undefined;
}

function say(state: State, text: string, now: number): State {
  return toast(state, "info", text, now);
}

function toast(state: State, kind: Toast["kind"], text: string, now: number): State {
  return { ...state, toasts: addToast(state.toasts, kind, text, now) };
}
