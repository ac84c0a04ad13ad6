import type { RawEnterParams } from "../types/RawEnterParams";
import type { RoomView } from "../types/RoomView";
import type { JoinForm } from "./join";

/** Where somebody is invited to, as the form takes it, and in words. */
export type Invited = { change: Partial<JoinForm>; words: string };

/** Whether a text may hold an invitation, so that it is worth asking the backend what it says. */
export function mayInvite(text: string): boolean {
  return /\bconfab:|\/join\/?[?#]/i.test(text) || /^Server: /m.test(text);
}

/** What an invitation, as the backend reads it, says about the form. Who one is stays as it was. */
export function invitedTo(params: RawEnterParams): Invited {
  const { server = "", roomId, strRoomId } = params;
  const change: Partial<JoinForm> = {
    where: "server",
    server,
    scene: params.scene ?? 0,
    sdkAppId: params.sdkAppId === undefined ? "" : String(params.sdkAppId),
    userId: params.userId ?? "",
    userSig: params.userSig ?? "",
    privateMapKey: "",
    passcode: params.passcode ?? "",
    ticket: params.ticket ?? "",
  };
  if (strRoomId === undefined) {
    Object.assign(change, { roomKind: "number", roomNumber: String(roomId ?? "") });
  } else {
    Object.assign(change, { roomKind: "text", roomText: strRoomId });
  }
  const room = strRoomId === undefined ? `room ${roomId ?? ""}` : `the room “${strRoomId}”`;
  return { change, words: `${room} at ${placeOf(server)}` };
}

/** Who comes in by the invitations below; `passcode`: one is asked for, and known here. */
export function invitingWords(once: boolean, passcode: boolean): string {
  if (once) return "The first who uses one of these comes into this room, once.";
  return passcode
    ? "Whoever has one of these comes into this room. The passcode is in them."
    : "Whoever has one of these comes into this room. A passcode is not in them.";
}

/** Whether one is in that room already. */
export function isIn({ change }: Invited, room: RoomView | null): boolean {
  if (room === null || change.server === undefined) return false;
  const same =
    change.roomKind === "text"
      ? room.strRoomId === change.roomText
      : room.roomId !== null && String(room.roomId) === change.roomNumber;
  return same && placeOf(room.server) === placeOf(change.server);
}

/** A server as people say it: without scheme and fingerprint. */
function placeOf(server: string): string {
  return server.replace(/^https?:\/\//, "").replace(/#.*$/, "");
}
