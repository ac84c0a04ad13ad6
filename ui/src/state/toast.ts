export type Device = "camera" | "microphone";

type Arrival = { userId: string; name: string };

export type Toast = {
  id: number;
  kind: "info" | "warning" | "error";
  text: string;
  /** When it may go by itself, milliseconds since 1970; null when it stays until it is closed. */
  until: number | null;
  /** The device that it is about: a complaint goes once that works. */
  device?: Device;
  /** Those of whom it says that they joined. */
  joined?: readonly Arrival[];
};

/** At most this many stand at once; the oldest news goes first, and complaints last. */
const MOST = 3;
/** How long a message stays, milliseconds: long enough to read it twice. */
const LIFE = { info: 4_000, warning: 15_000, error: null } as const;

/** Adds a message; the same words again only stay longer. */
export function addToast(
  toasts: readonly Toast[],
  kind: Toast["kind"],
  text: string,
  now: number,
  device?: Device,
): readonly Toast[] {
  const life = LIFE[kind];
  const until = life === null ? null : now + life;
  if (toasts.some((toast) => toast.text === text)) {
    return toasts.map((toast) => (toast.text === text ? { ...toast, until } : toast));
  }
  const added = { id: freeId(toasts), kind, text, until };
  return fit([...toasts, device === undefined ? added : { ...added, device }]);
}

/** Takes back what was said about a device that works again. */
export function withoutDevice(toasts: readonly Toast[], device: Device): readonly Toast[] {
  const rest = toasts.filter((toast) => toast.device !== device);
  return rest.length === toasts.length ? toasts : rest;
}

/** Leaves out what there is no room for. */
function fit(toasts: readonly Toast[]): readonly Toast[] {
  if (toasts.length <= MOST) return toasts;
  // What was just said is read first, whatever it is.
  const before = toasts.slice(0, -1);
  const goes =
    before.find(({ kind }) => kind === "info") ??
    before.find(({ kind }) => kind === "warning") ??
    before[0];
  return toasts.filter((toast) => toast !== goes);
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
  if (shown === undefined) return fit([...toasts, toast]);
  return toasts.map((one) => (one === shown ? toast : one));
}

function joinedWords(names: readonly string[]): string {
  const [first = "", second = "", ...others] = names;
  if (others.length > 0) return `${first}, ${second} and ${others.length} more joined`;
  return second === "" ? `${first} joined` : `${first} and ${second} joined`;
}
