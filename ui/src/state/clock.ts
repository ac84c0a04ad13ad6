/** Milliseconds as 4:05 or 1:02:03. */
export function elapsed(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const seconds = String(total % 60).padStart(2, "0");
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours === 0
    ? `${minutes}:${seconds}`
    : `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`;
}

/** The same for a screen reader: “4 minutes, 5 seconds”. */
export function elapsedWords(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [
    words(Math.floor(total / 3600), "hour"),
    words(Math.floor(total / 60) % 60, "minute"),
    words(total % 60, "second"),
  ].filter((part) => part !== null);
  return parts.length === 0 ? "0 seconds" : parts.join(", ");
}

function words(count: number, unit: string): string | null {
  if (count === 0) return null;
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`;
}
