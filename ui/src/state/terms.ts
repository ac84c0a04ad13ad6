/** The four kinds of meeting, in the order in which they are offered. */
export const SCENES = [
  { id: 0, key: "videoCall", label: "Video call", hint: "Everyone is seen and heard." },
  { id: 1, key: "live", label: "Live", hint: "Anchors are on stage, the audience watches." },
  { id: 2, key: "audioCall", label: "Audio call", hint: "Everyone is heard, no pictures." },
  {
    id: 3,
    key: "voiceChatRoom",
    label: "Voice chat room",
    hint: "Speakers talk, the audience listens.",
  },
] as const;

export type SceneId = (typeof SCENES)[number]["id"];

/** Somebody who may publish. */
export const ANCHOR = 20;
/** Somebody who only watches and listens. */
export const AUDIENCE = 21;
export type RoleId = typeof ANCHOR | typeof AUDIENCE;

/** Whether people of this scene have a role at all. */
export function hasRoles(scene: number): boolean {
  return scene === 1 || scene === 3;
}

/** Whether people of this scene may show a picture. */
export function hasVideo(scene: number): boolean {
  return scene === 0 || scene === 1;
}

export function sceneLabel(scene: number): string {
  return SCENES.find(({ id }) => id === scene)?.label ?? "Meeting";
}

/** What a role is called in a scene: voice rooms have speakers and listeners. */
export function roleLabel(scene: number, role: number): string | null {
  if (!hasRoles(scene)) return null;
  if (role === AUDIENCE) return scene === 3 ? "Listener" : "Audience";
  return scene === 3 ? "Speaker" : "Anchor";
}
