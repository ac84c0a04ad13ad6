import type { AppState } from "../types/AppState";
import type { HostAction } from "../types/HostAction";
import type { Participant } from "../types/Participant";
import type { Request } from "../types/Request";
import { hasVideo } from "./terms";

/** What somebody is in a room beside their role. */
export type Standing = "owner" | "coHost" | null;

/** An entry of the menu about one person. */
export type Choice = {
  id: string;
  label: string;
  request: Request;
  /** Cannot be undone by a click, so that it is asked first. */
  question?: string;
};

/** What a host may do to the room as a whole. */
export type RoomTools = {
  mutedAll: boolean;
  locked: boolean;
  waitingRoom: boolean;
  /** User IDs of those who are kept out. */
  banned: readonly string[];
  /** Only the owner ends the meeting for all. */
  ends: boolean;
};

export function standingIn(app: AppState, userId: string): Standing {
  const state = app.roomState;
  if (state === null) return null;
  if (state.owner === userId) return "owner";
  return state.coHosts.includes(userId) ? "coHost" : null;
}

export function standingLabel(standing: Standing): string | null {
  if (standing === null) return null;
  return standing === "owner" ? "Host" : "Co-host";
}

/** The tools of a host; null for everybody else. */
export function roomTools(app: AppState): RoomTools | null {
  const { room, roomState } = app;
  if (room === null || roomState === null) return null;
  const mine = standingIn(app, room.userId);
  if (mine === null) return null;
  const { mutedAll, locked, waitingRoom, banned } = roomState;
  return { mutedAll, locked, waitingRoom, banned, ends: mine === "owner" };
}

/** What I may do about somebody else, in the order of the menu; empty where nothing. */
export function choicesFor(app: AppState, userId: string): Choice[] {
  const { room } = app;
  const person = app.participants.find((one) => one.userId === userId);
  if (room === null || person === undefined || userId === room.userId) return [];
  return [...ownChoices(person, hasVideo(room.scene)), ...hostChoices(app, person)];
}

/** What changes for me alone. */
function ownChoices({ userId, audioMuted, videoMuted }: Participant, pictures: boolean): Choice[] {
  const voice: Choice = {
    id: "mute-for-me",
    label: audioMuted ? "Hear again" : "Mute for me",
    request: { command: "mute_remote_audio", args: { userId, mute: !audioMuted } },
  };
  const picture: Choice = {
    id: "hide-for-me",
    label: videoMuted ? "Show picture" : "Hide picture",
    request: { command: "mute_remote_video_stream", args: { userId, mute: !videoMuted } },
  };
  return pictures ? [voice, picture] : [voice];
}

/** What a host does to them. */
function hostChoices(app: AppState, person: Participant): Choice[] {
  const { room, roomState } = app;
  if (room === null || roomState === null) return [];
  const { userId } = person;
  const mine = standingIn(app, room.userId);
  const theirs = standingIn(app, userId);
  // A co-host does nothing to the other hosts.
  if (mine === null || (mine === "coHost" && theirs !== null)) return [];
  const name = person.name || userId;
  const choices: Choice[] = [];
  const add = (id: string, label: string, action: HostAction, question?: string) => {
    const request: Request = { command: "host_action", args: action };
    choices.push(
      question === undefined ? { id, label, request } : { id, label, request, question },
    );
  };
  if (person.audioAvailable) add("mute", "Mute", { action: "mute", userId });
  if (roomState.forbidden.includes(userId)) {
    add("allow", "Allow to unmute", { action: "allowUnmute", userId });
  } else {
    add("silence", "Mute and keep muted", { action: "mute", userId, allowUnmute: false });
  }
  if (person.videoAvailable && hasVideo(room.scene)) {
    add("video", "Stop video", { action: "stopVideo", userId });
  }
  if (person.screenAvailable) add("share", "Stop sharing", { action: "stopShare", userId });
  if (mine === "owner") {
    const on = theirs !== "coHost";
    add("co-host", on ? "Make co-host" : "No longer co-host", { action: "coHost", userId, on });
    const question = `${name} becomes the host of this meeting, and you a co-host.`;
    add("hand-over", "Make host", { action: "handOver", userId }, question);
  }
  add(
    "remove",
    "Remove",
    { action: "remove", userId },
    `${name} leaves the meeting, and may come back.`,
  );
  add(
    "ban",
    "Remove and keep out",
    { action: "remove", userId, ban: true },
    `${name} leaves the meeting and cannot come back until a host lets them, or it ends.`,
  );
  return choices;
}

/** What a host did, in words for everybody it concerns; null where nobody has to be told. */
export function hostWords(app: AppState, what: HostAction, by: string | null): string | null {
  const me = app.room?.userId ?? "";
  if (by === me) return null;
  const who = by === null ? "The server" : nameOf(app, by);
  switch (what.action) {
    case "mute":
      if (what.userId === me) {
        return what.allowUnmute === false
          ? `${who} muted you. You can unmute when a host allows it.`
          : `${who} muted you.`;
      }
      return what.userId === undefined && standingIn(app, me) === null
        ? `${who} muted everybody.`
        : null;
    case "allowUnmute":
      return what.userId === me || what.userId === undefined ? "You may unmute again." : null;
    case "stopVideo":
      return what.userId === me ? `${who} turned your camera off.` : null;
    case "stopShare":
      return what.userId === me ? `${who} ended your sharing.` : null;
    case "lock":
      return what.on
        ? `${who} locked the room: nobody else comes in.`
        : `${who} opened the room again.`;
    case "handOver":
      return what.userId === me ? "You are the host now." : null;
    case "coHost":
      if (what.userId !== me) return null;
      return what.on ? "You are a co-host now." : "You are no longer a co-host.";
    case "waitingRoom":
    case "admit":
    case "deny":
    case "remove":
    case "unban":
    case "dismiss":
      return null;
  }
}

function nameOf(app: AppState, userId: string): string {
  return app.participants.find((one) => one.userId === userId)?.name || userId;
}
