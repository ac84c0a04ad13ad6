import type { AppState } from "../types/AppState";
import type { JoinForm } from "./join";
import { hasVideo } from "./terms";

/** What I receive of nobody, also not of those who come later. */
export type Muted = { voices: boolean; pictures: boolean };

export const NOTHING_MUTED: Muted = { voices: false, pictures: false };

/** An entry of the menu about everybody. */
export type AllChoice = { id: string; label: string; what: keyof Muted; mute: boolean };

/** What I may do about everybody at once; both ways where I muted some and not the others. */
export function choicesForAll({ room, participants }: AppState, muted: Muted): AllChoice[] {
  if (room === null) return [];
  const silenced = participants.filter(({ audioMuted }) => audioMuted).length;
  const hidden = participants.filter(({ videoMuted }) => videoMuted).length;
  const choices: AllChoice[] = [];
  const offer = (what: keyof Muted, of: number, [off, on]: readonly [AllChoice, AllChoice]) => {
    if (!muted[what] || of < participants.length) choices.push(off);
    if (muted[what] || of > 0) choices.push(on);
  };
  offer("voices", silenced, [
    { id: "hear-nobody", label: "Hear nobody", what: "voices", mute: true },
    { id: "hear-everybody", label: "Hear everybody", what: "voices", mute: false },
  ]);
  if (!hasVideo(room.scene)) return choices;
  offer("pictures", hidden, [
    { id: "show-nobody", label: "Show no pictures", what: "pictures", mute: true },
    { id: "show-everybody", label: "Show all pictures", what: "pictures", mute: false },
  ]);
  return choices;
}

/** What the list says of everybody; empty where nothing is muted for all. */
export function mutedWords({ room }: AppState, { voices, pictures }: Muted): string {
  const hides = pictures && room !== null && hasVideo(room.scene);
  return [voices ? "Muted for you" : "", hides ? "Pictures hidden" : ""]
    .filter((words) => words !== "")
    .join(" · ");
}

/** What the form says where not everything comes by itself; null where it does. */
export function receivingNote({ scene, receiveAudio, receiveVideo }: JoinForm): string | null {
  const unseen = !receiveVideo && hasVideo(scene);
  if (receiveAudio && !unseen) return null;
  const what = receiveAudio ? "see" : unseen ? "hear and see" : "hear";
  return `You ${what} nobody until you choose whom in the list of people.`;
}
