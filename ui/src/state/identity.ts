const KEY = "confab.guest";

/**
 * The user ID of somebody who gave none. It lives as long as the window, reloads included: two
 * windows are two people, and a page loaded again takes its own seat back.
 */
export function guestId(storage: Storage | null = session()): string {
  const known = storage?.getItem(KEY);
  if (known) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const made = `guest-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  storage?.setItem(KEY, made);
  return made;
}

function session(): Storage | null {
  return typeof sessionStorage === "undefined" ? null : sessionStorage;
}
