import type { RoomEvent } from "../types/RoomEvent";

type EventData<Name extends RoomEvent["event"]> = Extract<
  RoomEvent,
  { event: Name; data: unknown }
>["data"];
type Received = EventData<"onRecvCustomCmdMsg">;
type Missed = EventData<"onMissCustomCmdMsg">;

/** A message of the app's own that came, or some that never did. */
export type Message = { id: number; userId: string; cmdId: number } & (
  { kind: "came"; seq: number; said: string; isText: boolean } | { kind: "missed"; missed: number }
);

/** So many are kept; the oldest go first. */
const MOST = 200;

/** The list with one that came, the newest first. */
export function withReceived(messages: readonly Message[], event: Received): readonly Message[] {
  const { userId, cmdId, seq, data } = event;
  const text = textOf(data);
  const said = text ?? data;
  return added(messages, { kind: "came", userId, cmdId, seq, said, isText: text !== null });
}

/** The same with some that never came. */
export function withMissed(messages: readonly Message[], event: Missed): readonly Message[] {
  const { userId, cmdId, missed } = event;
  return added(messages, { kind: "missed", userId, cmdId, missed });
}

type Unnumbered<Of> = Of extends Message ? Omit<Of, "id"> : never;

function added(messages: readonly Message[], message: Unnumbered<Message>): readonly Message[] {
  const id = (messages[0]?.id ?? 0) + 1;
  return [{ ...message, id }, ...messages.slice(0, MOST - 1)];
}

/** What bytes in base64 say; null where they are no text. */
function textOf(data: string): string | null {
  try {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** A text as the backend takes it. */
export function dataOf(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** What is wrong with the id that says what a message is about; null where nothing is. */
export function checkCmdId(typed: string): string | null {
  return /^(?:[1-9]|10)$/.test(typed.trim()) ? null : "A message has an id from 1 to 10.";
}

export function missedWords(missed: number, cmdId: number, name: string): string {
  const what = missed === 1 ? "One message" : `${missed} messages`;
  return `${what} of ${name} with id ${cmdId} never came.`;
}
