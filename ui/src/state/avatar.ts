/** Up to two letters that stand for a name. */
export function initials(name: string): string {
  const words = name
    .split(/[\s_\-.]+/u)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+/u, ""))
    .filter((word) => word !== "");
  const first = letter(words[0]);
  const last = words.length > 1 ? letter(words[words.length - 1]) : "";
  return first + last || "?";
}

function letter(word: string | undefined): string {
  return (Array.from(word ?? "")[0] ?? "").toLocaleUpperCase();
}

/** How many colours avatars come in. */
export const HUES = 6;

/** The same person has the same colour everywhere. */
export function hueOf(userId: string): number {
  let sum = 0;
  for (const character of userId) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return sum % HUES;
}
