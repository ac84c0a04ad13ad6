import type { AppState } from "../types/AppState";
import type { DeviceView } from "../types/DeviceView";

export type DeviceKindName = "microphone" | "speaker" | "camera";

/** The backend's numbers of the kinds. */
export const KIND_NUMBERS = { microphone: 0, speaker: 1, camera: 2 } as const;

/** What `select_device` takes for the system's own choice. */
export const SYSTEM_DEFAULT = "device";

/** What is remembered of devices. */
export type Known = {
  /** How each is called, or was when it was there last; by kind and id. */
  names: ReadonlyMap<string, string>;
  /** The id of the one that came into use last; by the number of its kind. */
  used: ReadonlyMap<number, string>;
};

export const UNKNOWN: Known = { names: new Map(), used: new Map() };

/** `onDeviceChange` says of a device that it is in use. */
const IN_USE = 2;

/** Remembers what the devices are called that are there now. */
export function withListed(known: Known, devices: readonly DeviceView[]): Known {
  const news = devices.filter((device) => known.names.get(keyOf(device)) !== device.name);
  if (news.length === 0) return known;
  const names = new Map(known.names);
  for (const device of news) names.set(keyOf(device), device.name);
  return { ...known, names };
}

type Told = { type: number; deviceId: string; name: string; state: number };

/** Takes in what `onDeviceChange` tells: a name, and which device is in use. */
export function withUsed(known: Known, { type: kind, deviceId, name, state }: Told): Known {
  const names = new Map(known.names).set(keyOf({ kind, deviceId }), name);
  const used = state === IN_USE ? new Map(known.used).set(kind, deviceId) : known.used;
  return { names, used };
}

/** The name of the device that is used in place of a chosen one that is away; null where none is. */
export function insteadOf(kind: DeviceKindName, app: AppState, known: Known): string | null {
  const chosen = app.selected[kind];
  const there = app.devices.filter((device) => device.kind === KIND_NUMBERS[kind]);
  const open = kind === "speaker" || app[kind].on;
  if (chosen === null || noDevice(chosen) !== null) return null;
  if (!open || app[kind].fault !== null) return null;
  if (there.some(({ deviceId }) => deviceId === chosen)) return null;
  const used = known.used.get(KIND_NUMBERS[kind]);
  return there.find(({ deviceId }) => deviceId === used)?.name ?? null;
}

function keyOf({ kind, deviceId }: { kind: number; deviceId: string }): string {
  return `${kind} ${deviceId}`;
}

type DeviceOption = { value: string; words: string };

/** What can be chosen: the system's own choice first. What is chosen stays, also when unplugged. */
export function optionsOf(
  kind: DeviceKindName,
  devices: readonly DeviceView[],
  chosen: string | null,
  { names }: Known = UNKNOWN,
): DeviceOption[] {
  const own = devices.filter((device) => device.kind === KIND_NUMBERS[kind]);
  const preferred = own.find(({ isDefault }) => isDefault);
  const options = own.map(({ deviceId, name }) => ({ value: deviceId, words: name }));
  const first = preferred === undefined ? "System default" : `System default (${preferred.name})`;
  const known = chosen === null || options.some(({ value }) => value === chosen);
  const name = names.get(keyOf({ kind: KIND_NUMBERS[kind], deviceId: chosen ?? "" }));
  const other = known ? [] : [{ value: chosen, words: otherWords(chosen, name) }];
  return [{ value: "", words: first }, ...options, ...other];
}

function otherWords(chosen: string, name: string | undefined): string {
  // Without a name there is what the system calls it, behind the system's own name.
  const away = () => `${name ?? chosen.slice(chosen.indexOf(":") + 1)} (not connected)`;
  return noDevice(chosen) ?? away();
}

/** How a choice is called that is no device and always there; null for a device. */
function noDevice(chosen: string): string | null {
  switch (chosen) {
    case "test":
      return "Test picture";
    case "tone":
      return "Test tone";
    case "null":
      return "No speaker";
    default:
      return chosen.startsWith("file:") ? `File ${chosen.slice(5)}` : null;
  }
}
