import type { DeviceView } from "../types/DeviceView";

export type DeviceKindName = "microphone" | "speaker" | "camera";

/** The backend's numbers of the kinds. */
export const KIND_NUMBERS = { microphone: 0, speaker: 1, camera: 2 } as const;

/** What `select_device` takes for the system's own choice. */
export const SYSTEM_DEFAULT = "device";

export type DeviceOption = { value: string; words: string };

/** What can be chosen: the system's own choice first. What is chosen stays, also when unplugged. */
export function optionsOf(
  kind: DeviceKindName,
  devices: readonly DeviceView[],
  chosen: string | null,
): DeviceOption[] {
  const own = devices.filter((device) => device.kind === KIND_NUMBERS[kind]);
  const preferred = own.find(({ isDefault }) => isDefault);
  const options = own.map(({ deviceId, name }) => ({ value: deviceId, words: name }));
  const first = preferred === undefined ? "System default" : `System default (${preferred.name})`;
  const known = chosen === null || options.some(({ value }) => value === chosen);
  const other = known ? [] : [{ value: chosen, words: otherWords(chosen) }];
  return [{ value: "", words: first }, ...options, ...other];
}

function otherWords(chosen: string): string {
  switch (chosen) {
    case "test":
      return "Test picture";
    case "tone":
      return "Test tone";
    case "null":
      return "No speaker";
    default:
      return chosen.startsWith("file:") ? `File ${chosen.slice(5)}` : `${chosen} (not connected)`;
  }
}
