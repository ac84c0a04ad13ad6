import type { JoinForm } from "./join";
import { SCENES } from "./terms";

/** What somebody else needs to come into a room on this computer. */
export type Invitation = {
  addresses: readonly string[];
  room: { kind: JoinForm["roomKind"]; id: string };
  scene: JoinForm["scene"];
};

/** The invitation as text to send to others. {@link readInvitation} reads it back. */
export function writeInvitation({ addresses, room, scene }: Invitation): string {
  return [
    "Join my Confab meeting: choose “Join a server” and paste this into the address.",
    "",
    `Server: ${addresses[0] ?? ""}`,
    `Room: ${room.id}`,
    `Room kind: ${room.kind}`,
    `Scene: ${SCENES[scene].key}`,
  ].join("\n");
}

/** What an invitation says about the form, or null when the text is none. */
export function readInvitation(text: string): Partial<JoinForm> | null {
  const lines = new Map(
    text
      .split(/\r?\n/)
      .map((line) => /^([A-Za-z ]+): (.*)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, key = "", value = ""]) => [key, value]),
  );
  const server = lines.get("Server");
  const room = lines.get("Room");
  if (server === undefined || room === undefined) return null;
  const form: Partial<JoinForm> = { where: "server", server };
  if (lines.get("Room kind") === "text") Object.assign(form, { roomKind: "text", roomText: room });
  else Object.assign(form, { roomKind: "number", roomNumber: room });
  const scene = SCENES.find(({ key }) => key === lines.get("Scene"));
  if (scene !== undefined) form.scene = scene.id;
  form.sdkAppId = lines.get("SDKAppID") ?? "";
  form.userId = lines.get("User ID") ?? "";
  form.userSig = lines.get("UserSig") ?? "";
  return form;
}
