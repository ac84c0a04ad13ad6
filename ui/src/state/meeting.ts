import type { AppState } from "../types/AppState";
import { AUDIENCE, hasRoles, hasVideo, roleLabel } from "./terms";

/** Somebody in the room as the page shows them. */
export type Person = {
  /** The user ID; "" is oneself, as everywhere in the backend. */
  id: string;
  userId: string;
  name: string;
  self: boolean;
  role: string | null;
  microphone: "on" | "off";
  /** `starting`: announced, but no picture has arrived yet. */
  video: "on" | "starting" | "off";
  speaking: boolean;
};

/** What the controls of the bottom bar may do and show. */
export type Controls = {
  microphone: { offered: boolean; on: boolean };
  camera: { offered: boolean; on: boolean };
};

/** Everybody for the list, oneself first. */
export function peopleOf(app: AppState): Person[] {
  const { room } = app;
  if (room === null) return [];
  const self: Person = {
    id: "",
    userId: room.userId,
    name: room.name || room.userId,
    self: true,
    role: roleLabel(room.scene, room.role),
    microphone: app.microphone.on && !app.microphone.muted ? "on" : "off",
    video: app.camera.on && !app.camera.muted ? (app.camera.ready ? "on" : "starting") : "off",
    speaking: app.microphone.on && !app.microphone.muted && app.microphone.speaking,
  };
  const others = app.participants.map((other): Person => ({
    id: other.userId,
    userId: other.userId,
    name: other.name || other.userId,
    self: false,
    role: roleLabel(room.scene, other.role),
    microphone: other.audioAvailable ? "on" : "off",
    video: other.videoAvailable ? (other.videoSize === null ? "starting" : "on") : "off",
    speaking: other.audioAvailable && other.speaking,
  }));
  return [self, ...others];
}

/** Those with a tile: an audience member has nothing to show, not even to oneself. */
export function tilesOf(app: AppState): Person[] {
  return peopleOf(app).filter((person) => !(person.self && isAudience(app)));
}

export function controlsOf(app: AppState): Controls {
  const publishes = app.room !== null && !isAudience(app);
  return {
    microphone: { offered: publishes, on: app.microphone.on && !app.microphone.muted },
    camera: {
      offered: publishes && app.room !== null && hasVideo(app.room.scene),
      on: app.camera.on,
    },
  };
}

function isAudience({ room }: AppState): boolean {
  return room !== null && hasRoles(room.scene) && room.role === AUDIENCE;
}
