import type { AppState } from "../types/AppState";
import type { Fault } from "../types/Fault";
import { ownStanding, standingOf, UNMEASURED, type Network, type Standing } from "./network";
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
  /** How loud they are, 0 to 100. */
  level: number;
  /** I muted them for myself. */
  silenced: boolean;
  /** I hid their picture for myself. */
  hidden: boolean;
  connection: Standing;
};

/** A switch for a device. */
export type Control = {
  offered: boolean;
  /** Whether something comes of the device, as its tile says. */
  on: boolean;
  /** Why nothing does although it was turned on: it waits for a device. */
  fault: Fault | null;
};

/** What the controls of the bottom bar may do and show. */
export type Controls = {
  microphone: Control;
  camera: Control;
  /** The other role of a live room; null where there are none. */
  role: { words: string; title: string } | null;
};

/** Everybody for the list, oneself first. */
export function peopleOf(app: AppState, network: Network = UNMEASURED): Person[] {
  const { room } = app;
  if (room === null) return [];
  const self: Person = {
    id: "",
    userId: room.userId,
    name: room.name || room.userId,
    self: true,
    role: roleLabel(room.scene, room.role),
    microphone: isHeard(app) ? "on" : "off",
    video: isSeen(app) ? (app.camera.ready ? "on" : "starting") : "off",
    speaking: isHeard(app) && app.microphone.speaking,
    level: isHeard(app) ? app.microphone.level : 0,
    silenced: false,
    hidden: false,
    connection: ownStanding(network),
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
    level: other.audioAvailable ? other.audioLevel : 0,
    silenced: other.audioMuted,
    hidden: other.videoMuted,
    connection: standingOf(network, other.userId),
  }));
  return [self, ...others];
}

/** Those with a tile: an audience member has nothing to show, not even to oneself. */
export function tilesOf(app: AppState, network: Network = UNMEASURED): Person[] {
  return peopleOf(app, network).filter((person) => !(person.self && isAudience(app)));
}

export function controlsOf(app: AppState): Controls {
  const { microphone, camera } = app;
  const publishes = app.room !== null && !isAudience(app);
  return {
    microphone: {
      offered: publishes,
      on: isHeard(app),
      fault: microphone.on && !microphone.muted ? microphone.fault : null,
    },
    camera: {
      offered: publishes && app.room !== null && hasVideo(app.room.scene),
      on: camera.on && camera.fault === null,
      fault: camera.on ? camera.fault : null,
    },
    role: otherRole(app),
  };
}

function otherRole({ room }: AppState): Controls["role"] {
  if (room === null || !hasRoles(room.scene)) return null;
  return room.role === AUDIENCE
    ? { words: "Go on stage", title: "Be seen and heard by everybody" }
    : { words: "Go off stage", title: "Watch and listen only" };
}

/** A microphone that is on and has a fault waits for a device: nobody hears one. */
function isHeard({ microphone: { on, muted, fault } }: AppState): boolean {
  return on && !muted && fault === null;
}

function isSeen({ camera: { on, muted, fault } }: AppState): boolean {
  return on && !muted && fault === null;
}

function isAudience({ room }: AppState): boolean {
  return room !== null && hasRoles(room.scene) && room.role === AUDIENCE;
}
