import type { AppState } from "../types/AppState";
import type { Event } from "../types/Event";
import { noticeOf, type Notice } from "./exit";
import {
  EMPTY_FORM,
  fieldOfFault,
  needsAdvanced,
  type FieldErrors,
  type FieldName,
  type JoinForm,
} from "./join";
import { addToast, type Toast } from "./toast";

/** Steps of joining that a person may have to wait for. */
export type Step = "hosting" | "signing" | "entering";

export type Joining = {
  form: JoinForm;
  errors: FieldErrors;
  /** A refusal that belongs to no single field. */
  refusal: string | null;
  /** The advanced part is open. */
  advanced: boolean;
  /** What is being waited for; null when nothing is. */
  step: Step | null;
};

export type Connection = "fine" | "lost" | "reconnecting";

/** Everything the page shows. A value: only {@link reduce} makes a new one. */
export type State = {
  app: AppState;
  joining: Joining;
  /** The notice about the last exit, until the person goes on. */
  notice: Notice | null;
  connection: Connection;
  /** When the meeting began, in milliseconds of the page's clock. */
  since: number | null;
  panel: boolean;
  toasts: readonly Toast[];
  /** The latest thing to be read out by a screen reader. */
  spoken: string;
};

export type Action =
  | { type: "event"; event: Event; now: number }
  | { type: "edit"; change: Partial<JoinForm> }
  | { type: "advanced"; open: boolean }
  | { type: "wrong"; errors: FieldErrors }
  | { type: "step"; step: Step | null }
  | { type: "refused"; code: number; message: string }
  | { type: "panel"; open: boolean }
  | { type: "notice-read" }
  | { type: "failed"; message: string; now: number }
  | { type: "toast-closed"; id: number };

/** How long after entry, in milliseconds, people still count as having been there. */
const SETTLED = 2_000;

export const IDLE: AppState = {
  phase: "idle",
  room: null,
  hosting: null,
  camera: { on: false, ready: false, fault: null },
  microphone: { on: false, muted: false, speaking: false, level: 0, fault: null },
  participants: [],
};

export function initialState(form: JoinForm = EMPTY_FORM): State {
  return {
    app: IDLE,
    joining: { form, errors: {}, refusal: null, advanced: false, step: null },
    notice: null,
    connection: "fine",
    since: null,
    panel: false,
    toasts: [],
    spoken: "",
  };
}

export type Page = "join" | "meeting" | "exit";

export function pageOf(state: State): Page {
  if (state.notice !== null) return "exit";
  const { phase } = state.app;
  return phase === "in" || phase === "reconnecting" || (phase === "exiting" && state.since !== null)
    ? "meeting"
    : "join";
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
      return { ...state, joining: { ...joining, errors: action.errors, refusal: null, advanced } };
    }
    case "step": {
      const refusal = action.step === null ? state.joining.refusal : null;
      return { ...state, joining: { ...state.joining, step: action.step, refusal } };
    }
    case "refused":
      return { ...state, joining: refuse(state.joining, action.code, action.message) };
    case "panel":
      return { ...state, panel: action.open };
    case "notice-read":
      return { ...state, notice: null };
    case "failed":
      return toast(state, "error", action.message, action.now);
    case "toast-closed":
      return { ...state, toasts: state.toasts.filter(({ id }) => id !== action.id) };
  }
}

/** A change takes back the complaint about what was changed, and no other. */
function edit(joining: Joining, change: Partial<JoinForm>): Joining {
  const touched = new Set<FieldName>();
  if ("name" in change) touched.add("name");
  if ("roomKind" in change || "roomNumber" in change || "roomText" in change) touched.add("room");
  if ("server" in change) touched.add("server");
  if ("sdkAppId" in change) touched.add("sdkAppId");
  if ("userId" in change) touched.add("userId");
  if ("userSig" in change) touched.add("userSig");
  if ("where" in change)
    for (const field of ["server", "sdkAppId", "userSig"] as const) touched.add(field);
  const errors = Object.fromEntries(
    Object.entries(joining.errors).filter(([field]) => !touched.has(field as FieldName)),
  );
  return { ...joining, form: { ...joining.form, ...change }, errors, refusal: null };
}

function refuse(joining: Joining, code: number, message: string): Joining {
  const field = fieldOfFault(code, joining.form);
  const idle: Joining = { ...joining, step: null };
  if (field === null) return { ...idle, refusal: message };
  const errors: FieldErrors = { [field]: message };
  return { ...idle, errors, refusal: null, advanced: joining.advanced || needsAdvanced(errors) };
}

function onEvent(state: State, event: Event, now: number): State {
  switch (event.event) {
    case "state":
      return { ...state, app: event.data };
    case "onEnterRoom":
      if (event.data.result < 0) return onEntryFailed(state, event.data.result);
      return {
        ...state,
        joining: { ...state.joining, step: null, errors: {}, refusal: null },
        notice: null,
        connection: "fine",
        since: now,
        panel: false,
        spoken: "You are in the meeting.",
      };
    case "onExitRoom":
      return onExit(state, event.data);
    case "onRemoteUserEnterRoom":
      // Those already inside are announced one by one right after entry: that is no news.
      return state.since === null || now - state.since < SETTLED
        ? state
        : say(state, `${event.data.name || event.data.userId} joined`, now);
    case "onRemoteUserLeaveRoom":
      return say(state, leftWords(state, event.data.userId, event.data.reason), now);
    case "onConnectionLost":
      return { ...state, connection: "lost" };
    case "onTryToReconnect":
      return { ...state, connection: "reconnecting" };
    case "onConnectionRecovery":
      return toast({ ...state, connection: "fine" }, "info", "You are connected again.", now);
    case "onError":
      // While entering, the sentence belongs on the form; the entry's result may come after it.
      return state.joining.step !== null && !isDeviceCode(event.data.code)
        ? { ...state, joining: refuse(state.joining, event.data.code, event.data.message) }
        : toast(state, "error", event.data.message, now);
    case "onWarning":
      return toast(state, "warning", event.data.message, now);
    default:
      return state;
  }
}

/** Cameras, microphones and speakers: they never decide an entry. */
function isDeviceCode(code: number): boolean {
  return code <= -1301 && code >= -1399;
}

function onEntryFailed(state: State, code: number): State {
  const { joining } = state;
  const said = joining.refusal !== null || Object.keys(joining.errors).length > 0;
  if (said) return { ...state, joining: { ...joining, step: null } };
  return {
    ...state,
    joining: refuse(joining, code, `The room could not be entered (code ${code}).`),
  };
}

function onExit(state: State, exit: Parameters<typeof noticeOf>[0]): State {
  const over: State = {
    ...state,
    joining: { ...state.joining, step: null },
    connection: "fine",
    since: null,
    panel: false,
    toasts: [],
  };
  // An entry that was given up shows the form again: there was no meeting to leave.
  if (state.since === null) return over;
  const notice = noticeOf(exit, roomLabel(state), state.app.hosting !== null);
  return { ...over, notice, spoken: notice.title };
}

/** What people call the room: its number or its name. */
export function roomLabel(state: State): string {
  const { room } = state.app;
  if (room !== null) return String(room.roomId ?? room.strRoomId ?? "");
  const { form } = state.joining;
  return form.roomKind === "number" ? form.roomNumber.trim() : form.roomText;
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

function say(state: State, text: string, now: number): State {
  return toast(state, "info", text, now);
}

function toast(state: State, kind: Toast["kind"], text: string, now: number): State {
  return { ...state, toasts: addToast(state.toasts, kind, text, now) };
}
