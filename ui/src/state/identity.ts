const KEY = "confab.guest";

/**
 * The user ID of somebody who gave none. It lives as long as the window, reloads included: two
 * windows are two people, and a page loaded again takes its own seat back.
 */
export function guestId(storage: Storage | null = session()): string {
  const known = storage?.getItem(KEY);
  if (known) return known;
  const made = freshId();
  storage?.setItem(KEY, made);
  return made;
}

/** A user ID that nobody has yet. */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `guest-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function session(): Storage | null {
  return typeof sessionStorage === "undefined" ? null : sessionStorage;
}
