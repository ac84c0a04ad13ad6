import type { JoinForm } from "./join";
import { ANCHOR, AUDIENCE, SCENES } from "./terms";

const KEY = "confab.join";

/** What is worth typing only once. Never UserSig, PrivateMapKey and passcodes: they are secrets. */
type Remembered = Pick<
  JoinForm,
  | "name"
  | "roomKind"
  | "roomNumber"
  | "roomText"
  | "scene"
  | "role"
  | "where"
  | "lan"
  | "hostWaiting"
  | "hostPort"
  | "server"
  | "sdkAppId"
  | "receiveAudio"
  | "receiveVideo"
>;

export function rememberForm(storage: Storage | null, form: JoinForm): void {
  const kept: Remembered = {
    name: form.name,
    roomKind: form.roomKind,
    roomNumber: form.roomNumber,
    roomText: form.roomText,
    scene: form.scene,
    role: form.role,
    where: form.where,
    lan: form.lan,
    hostWaiting: form.hostWaiting,
    hostPort: form.hostPort,
    server: form.server,
    sdkAppId: form.sdkAppId,
    receiveAudio: form.receiveAudio,
    receiveVideo: form.receiveVideo,
  };
  storage?.setItem(KEY, JSON.stringify(kept));
}

/** What was kept, field by field; anything unreadable is left out. */
export function rememberedForm(storage: Storage | null): Partial<Remembered> {
  const text = storage?.getItem(KEY);
  if (!text) return {};
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof kept !== "object" || kept === null) return {};
  const fields = kept as Record<string, unknown>;
  const form: Partial<Remembered> = {};
  for (const key of ["name", "roomNumber", "roomText", "hostPort", "server", "sdkAppId"] as const) {
    const value = fields[key];
    if (typeof value === "string") form[key] = value;
  }
  const kind = fields["roomKind"];
  if (kind === "number" || kind === "text") form.roomKind = kind;
  const where = fields["where"];
  if (where === "host" || where === "server") form.where = where;
  for (const key of ["lan", "hostWaiting", "receiveAudio", "receiveVideo"] as const) {
    const value = fields[key];
    if (typeof value === "boolean") form[key] = value;
  }
  const scene = SCENES.find(({ id }) => id === fields["scene"]);
  if (scene) form.scene = scene.id;
  const role = fields["role"];
  if (role === ANCHOR || role === AUDIENCE) form.role = role;
  return form;
}
