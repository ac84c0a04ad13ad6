type Arrival = { userId: string; name: string };

export type Toast = {
  id: number;
  kind: "info" | "warning" | "error";
  text: string;
  /** When it may go by itself, milliseconds since 1970. */
  until: number;
  /** Those of whom it says that they joined. */
  joined?: readonly Arrival[];
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
  return [...toasts, { id: freeId(toasts), kind, text, until }].slice(-MOST);
}

function freeId(toasts: readonly Toast[]): number {
  return toasts.reduce((highest, toast) => Math.max(highest, toast.id), 0) + 1;
}

/** Says that somebody joined. Those who come together share one message. */
export function addJoined(
  toasts: readonly Toast[],
  arrival: Arrival,
  now: number,
): readonly Toast[] {
  const shown = toasts.find(({ joined }) => joined !== undefined);
  const before = (shown?.joined ?? []).filter(({ userId }) => userId !== arrival.userId);
  const joined = [...before, arrival];
  const toast: Toast = {
    id: shown?.id ?? freeId(toasts),
    kind: "info",
    text: joinedWords(joined.map(({ name, userId }) => name || userId)),
    until: now + LIFE.info,
    joined,
  };
  if (shown === undefined) return [...toasts, toast].slice(-MOST);
  return toasts.map((one) => (one === shown ? toast : one));
}

function joinedWords(names: readonly string[]): string {
  const [first = "", second = "", ...others] = names;
  if (others.length > 0) return `${first}, ${second} and ${others.length} more joined`;
  return second === "" ? `${first} joined` : `${first} and ${second} joined`;
}
