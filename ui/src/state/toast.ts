export type Toast = {
  id: number;
  kind: "info" | "warning" | "error";
  text: string;
  /** When it may go by itself, milliseconds since 1970. */
  until: number;
};

/** At most this many stand at once; the oldest goes first. */
const MOST = 3;
const LIFE = { info: 4_000, warning: 8_000, error: 15_000 } as const;

/** Adds a message; the same words again only stay longer. */
export function addToast(
  toasts: readonly Toast[],
  kind: Toast["kind"],
  text: string,
  now: number,
): readonly Toast[] {
  const until = now + LIFE[kind];
  if (toasts.some((toast) => toast.text === text)) {
    return toasts.map((toast) => (toast.text === text ? { ...toast, until } : toast));
  }
  const id = toasts.reduce((highest, toast) => Math.max(highest, toast.id), 0) + 1;
  return [...toasts, { id, kind, text, until }].slice(-MOST);
}
