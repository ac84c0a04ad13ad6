import type { AppState } from "../types/AppState";
import type { OtherRoom } from "../types/OtherRoom";
import { checkRoomNumber, checkRoomText } from "./join";

/** The other room as it is typed: by number where this one has a number, else by name. */
export type SwitchForm = { room: string; privateMapKey: string };

/** Whether rooms are called by number here: both rooms are called the same way. */
export function byNumber({ room }: AppState): boolean {
  return room?.strRoomId == null;
}

/** What is wrong with the other room; null where nothing is. */
export function checkSwitch(app: AppState, { room }: SwitchForm): string | null {
  const wrong = byNumber(app) ? checkRoomNumber(room) : checkRoomText(room);
  if (wrong !== null) return wrong;
  const here = byNumber(app) ? String(app.room?.roomId) : app.room?.strRoomId;
  const there = byNumber(app) ? String(Number(room.trim())) : room;
  return there === here ? "You are in this room already." : null;
}

/** What `switch_room` takes; call only where nothing is wrong. */
export function otherRoom(app: AppState, form: SwitchForm): OtherRoom {
  const privateMapKey = form.privateMapKey.trim();
  return {
    ...(byNumber(app) ? { roomId: Number(form.room.trim()) } : { strRoomId: form.room }),
    ...(privateMapKey === "" ? {} : { privateMapKey }),
  };
}

/** What one waits for on the way to another room; null where one is not on such a way. */
export function switchWords({ switching }: AppState): string | null {
  if (switching === null) return null;
  const { roomId, strRoomId } = switching.room;
  const name = strRoomId === null ? `room ${String(roomId)}` : `the room “${strRoomId}”`;
  return switching.waiting ? `Waiting for the host of ${name} to let you in…` : `Going to ${name}…`;
}
