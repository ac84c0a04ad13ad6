/** What helps, where the backend only says what is missing; by TRTC's codes. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [1111, "Connect one to be seen, or go on without."],
  [1201, "Connect one and unmute to be heard."],
  [1202, "Connect one to hear the others."],
  [-1301, "Check that it is connected, then start it again."],
  [-1302, "Check that it is connected, then unmute."],
  [-1316, "Close that program, then start the camera again."],
  [-1319, "Close that program, then unmute."],
  [-1321, "Check that it is connected, then join again."],
]);

/** A fault as a person reads it: a whole sentence, and what to do. */
export function inWords({ code, message }: { code: number; message: string }): string {
  const text = message.trim();
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  const ended = /[.!?…”]$/.test(sentence) ? sentence : `${sentence}.`;
  const advice = ADVICE.get(code);
  // Sentences of two halves say already what helps.
  return advice === undefined || text.includes("; ") ? ended : `${ended} ${advice}`;
}
