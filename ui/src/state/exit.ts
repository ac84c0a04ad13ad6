import type { ExitView } from "../types/ExitView";

/** The notice shown after a meeting: what happened, who did it, what can be done now. */
export type Notice = {
  kind: "left" | "removed" | "dismissed" | "elsewhere" | "stopped" | "lost";
  title: string;
  what: string;
  next: string;
};

/** Words for an exit from `room`; `hosted` when this computer carried the room. */
export function noticeOf(exit: ExitView, room: string, hosted: boolean): Notice {
  switch (exit.cause) {
    case "entered_elsewhere":
      return {
        kind: "elsewhere",
        title: "You joined from somewhere else",
        what: `The same user ID entered room ${room} in another window or on another device, and that one stays.`,
        next: "Joining again here takes the other one out.",
      };
    case "host_stopped":
      return {
        kind: "stopped",
        title: hosted ? "You ended the meeting" : "The host ended the meeting",
        what: hosted
          ? `You stopped hosting, so everyone has left room ${room}.`
          : `The computer that hosted room ${room} stopped hosting${byWhom(exit.by)}.`,
        next: hosted
          ? "Host again whenever you like; the address stays the same."
          : "You can join again as soon as somebody hosts the room.",
      };
    case "server_stopped":
      return {
        kind: "stopped",
        title: "The server was stopped",
        what: `The server that carried room ${room} has shut down.`,
        next: "Try again in a moment, or ask the person who runs the server.",
      };
    case "connection_lost":
      return {
        kind: "lost",
        title: "The connection was lost",
        what: `Room ${room} could not be reached any more.`,
        next: "Check this computer’s network, then join again.",
      };
    case "room_closed":
      return {
        kind: "dismissed",
        title: "The room was closed",
        what: `Nobody was left who keeps room ${room} open.`,
        next: "Joining again opens the room anew.",
      };
    case "left":
    case "removed":
    case "dismissed":
    case "unknown":
      return byReason(exit, room);
  }
}

function byReason(exit: ExitView, room: string): Notice {
  if (exit.reason === 1) {
    return {
      kind: "removed",
      title: "You were removed from the room",
      what: exit.by
        ? `${exit.by} removed you from room ${room}.`
        : `Somebody who runs this meeting removed you from room ${room}.`,
      next: "If that was a mistake, you may join again.",
    };
  }
  if (exit.reason === 2) {
    return {
      kind: "dismissed",
      title: "The room was dismissed",
      what: exit.by
        ? `${exit.by} closed room ${room} for everyone.`
        : `Room ${room} was closed for everyone.`,
      next: "Joining again opens the room anew.",
    };
  }
  return {
    kind: "left",
    title: "You left",
    what: `You are no longer in room ${room}.`,
    next: "The others can go on without you.",
  };
}

function byWhom(by: string | null): string {
  return by ? ` (${by})` : "";
}
