import { ANCHOR, AUDIENCE, hasRoles, hasVideo, type RoleId, type SceneId } from "./terms";

type RoomKind = "number" | "text";
export type Where = "host" | "server";

/** What the join page holds, exactly as typed. */
export type JoinForm = {
  name: string;
  roomKind: RoomKind;
  roomNumber: string;
  roomText: string;
  scene: SceneId;
  role: RoleId;
  where: Where;
  /** When hosting: other computers may come in too. */
  lan: boolean;
  /** When hosting: what guests have to say; empty for nothing. */
  hostPasscode: string;
  /** When hosting: those who come wait for a host. */
  hostWaiting: boolean;
  /** When hosting: the port; empty for the usual one, or another if that is taken. */
  hostPort: string;
  server: string;
  sdkAppId: string;
  userId: string;
  userSig: string;
  privateMapKey: string;
  passcode: string;
  /** What an invitation brought along to let somebody in once; it is not seen. */
  ticket: string;
  /** The others are heard without being asked for. */
  receiveAudio: boolean;
  /** The others are seen without being asked for. */
  receiveVideo: boolean;
  microphone: boolean;
  camera: boolean;
};

export const EMPTY_FORM: JoinForm = {
  name: "",
  roomKind: "number",
  roomNumber: "",
  roomText: "",
  scene: 0,
  role: ANCHOR,
  where: "host",
  lan: false,
  hostPasscode: "",
  hostWaiting: false,
  hostPort: "",
  server: "",
  sdkAppId: "",
  userId: "",
  userSig: "",
  privateMapKey: "",
  passcode: "",
  ticket: "",
  receiveAudio: true,
  receiveVideo: true,
  microphone: true,
  camera: true,
};

/** The fields that can be wrong; `role` and `scene` are choices and cannot. */
export type FieldName =
  | "name"
  | "room"
  | "server"
  | "hostPasscode"
  | "hostPort"
  | "passcode"
  | "sdkAppId"
  | "userId"
  | "userSig"
  | "privateMapKey";
export type FieldErrors = Partial<Record<FieldName, string>>;

/** In the order of the page: the first wrong one gets the focus. */
const FIELDS: readonly FieldName[] = [
  "name",
  "room",
  "server",
  "hostPasscode",
  "userId",
  "hostPort",
  "passcode",
  "sdkAppId",
  "userSig",
  "privateMapKey",
];

const ADVANCED: ReadonlySet<FieldName> = new Set<FieldName>([
  "hostPort",
  "passcode",
  "sdkAppId",
  "userId",
  "userSig",
  "privateMapKey",
]);

/** Closer codes of -100018 that concern the SDKAppID. */
const OTHER_APP: ReadonlySet<number> = new Set([-70014, -70020, -70252]);

const MAX_PASSCODE = 256;
const MAX_PORT = 65535;
const MAX_ROOM_NUMBER = 4294967294;
const MAX_SDK_APP_ID = 4294967295;
const ROOM_TEXT = /^[A-Za-z0-9 !#$%&()+\-:;<=.>?@[\]^_{}|~,]$/;
const USER_ID = /^[A-Za-z0-9_-]$/;

/** Every field that the form would be refused for; what rooms that are open already ask is settled. */
export function checkForm(form: JoinForm, open = false): FieldErrors {
  const errors: FieldErrors = {};
  const put = (field: FieldName, error: string | null) => {
    if (error !== null) errors[field] = error;
  };
  put("name", checkName(form.name));
  put(
    "room",
    form.roomKind === "number" ? checkRoomNumber(form.roomNumber) : checkRoomText(form.roomText),
  );
  put("userId", checkUserId(form.userId, form.where === "server" ? form.userSig : ""));
  if (form.where === "server") {
    put("server", checkServer(form.server));
    put("sdkAppId", checkSdkAppId(form.sdkAppId, form.userSig));
  } else if (!open) {
    put("hostPasscode", checkPasscode(form.hostPasscode));
    put("hostPort", checkPort(form.hostPort));
  }
  return errors;
}

/** What is asked of guests; empty is nothing. */
export function checkPasscode(typed: string): string | null {
  const length = characters(typed).length;
  return length > MAX_PASSCODE
    ? `A passcode has at most ${MAX_PASSCODE} characters; this one has ${length}.`
    : null;
}

/** Where rooms are opened; empty is the usual port. */
export function checkPort(typed: string): string | null {
  const text = typed.trim();
  if (text === "") return null;
  const port = /^[0-9]+$/.test(text) ? Number(text) : 0;
  return port < 1 || port > MAX_PORT ? `A port is a number from 1 to ${MAX_PORT}.` : null;
}

/** Characters that control or that nobody sees, as the program has them (`is_unseen`). */
const UNSEEN =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

function checkName(typed: string): string | null {
  const name = typed.trim();
  if (name === "") return "Enter your name, so that the others know who you are.";
  const length = characters(name).length;
  if (length > 64) return `A name has at most 64 characters; this one has ${length}.`;
  if (UNSEEN.test(name)) return "A name cannot contain characters that nobody sees.";
  return null;
}

export function checkRoomNumber(typed: string): string | null {
  const text = typed.trim();
  if (text === "") return `Enter a room number from 1 to ${MAX_ROOM_NUMBER}.`;
  const odd = characters(text).find((character) => !/^[0-9]$/.test(character));
  if (odd !== undefined) {
    return `A room number has digits only, not “${odd}”. For a room with a name, switch to Text.`;
  }
  const value = Number(text);
  if (value < 1 || value > MAX_ROOM_NUMBER) {
    return `A room number is from 1 to ${MAX_ROOM_NUMBER}; ${text} is outside.`;
  }
  return null;
}

export function checkRoomText(text: string): string | null {
  if (text.trim() === "") return "Enter the room’s name, 1 to 64 characters.";
  const odd = characters(text).find((character) => !ROOM_TEXT.test(character));
  if (odd !== undefined) {
    return `A room’s name cannot contain “${odd}”. Use letters A to Z, digits, spaces and ! # $ % & ( ) + - . : ; < = > ? @ [ ] ^ _ { | } ~ ,`;
  }
  if (text.length > 64)
    return `A room’s name has at most 64 characters; this one has ${text.length}.`;
  return null;
}

/** Empty is right as long as no UserSig was typed: one then enters as a guest. */
export function checkUserId(text: string, userSig: string): string | null {
  if (text === "") {
    return userSig.trim() === "" ? null : "Enter the user ID that the UserSig was made for.";
  }
  const odd = characters(text).find((character) => !USER_ID.test(character));
  if (odd !== undefined) {
    return `A user ID cannot contain “${odd}”. Use letters A to Z, digits, _ and -.`;
  }
  if (text.length > 32) return `A user ID has at most 32 characters; this one has ${text.length}.`;
  return null;
}

/** Empty is right as long as no UserSig was typed: the server then chooses. */
export function checkSdkAppId(typed: string, userSig: string): string | null {
  const text = typed.trim();
  if (text === "") {
    return userSig.trim() === "" ? null : "Enter the SDKAppID that the UserSig was made for.";
  }
  if (!/^[0-9]+$/.test(text) || Number(text) < 1 || Number(text) > MAX_SDK_APP_ID) {
    return `An SDKAppID is a whole number from 1 to ${MAX_SDK_APP_ID}.`;
  }
  return null;
}

export function checkServer(typed: string): string | null {
  const text = typed.trim();
  if (text === "") return "Enter the server’s address, for example 192.168.1.20:7880.";
  return isServer(text) ? null : "This is not a server’s address. It looks like 192.168.1.20:7880.";
}

/** Whether a text can be a server's address, perhaps with its certificate's fingerprint behind a `#`. */
function isServer(text: string): boolean {
  const [place = "", fingerprint, ...more] = text.split("#");
  if (more.length > 0 || /\s/.test(place)) return false;
  if (fingerprint !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(fingerprint)) return false;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? place : `http://${place}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  return (
    url !== null &&
    ["http:", "https:", "ws:", "wss:"].includes(url.protocol) &&
    url.hostname !== "" &&
    url.username === "" &&
    url.search === ""
  );
}

/** Where a refusal by the backend belongs, or null when it concerns no single field. */
export function fieldOfFault(
  code: number,
  detail: number | null,
  form: JoinForm,
  message = "",
): FieldName | null {
  // A signature that fails because of its application is mended there.
  switch (detail !== null && OTHER_APP.has(detail) ? -3317 : code) {
    case -3317:
      return form.where === "server" ? "sdkAppId" : null;
    case -3318:
    case -100014:
    case -102030:
      return "room";
    case -3319:
      return "userId";
    case -102011: {
      // A locked room, a host's no and a used invitation have the same code.
      const guest = form.where === "server" && form.userSig === "";
      return guest && /passcode/i.test(message) ? "passcode" : null;
    }
    case -100006:
      return form.where === "server" ? "privateMapKey" : null;
    case -3320:
    case -100018:
      return form.where === "server" ? "userSig" : null;
    case -3307:
    case -3308:
      return form.where === "server" ? "server" : null;
    default:
      return null;
  }
}

/**
 * What to say where a User ID was refused for want of what proves it; null for other refusals. The
 * backend refuses and not {@link checkForm}: only it knows whether it has a key that signs.
 */
export function proofWords(code: number, form: JoinForm): string | null {
  if (form.where === "host" || form.userId === "" || form.userSig.trim() !== "") return null;
  const whose = "from whoever runs the server";
  switch (code) {
    case -3317:
      return `A User ID of your own needs an SDKAppID and a UserSig ${whose}. Leave all three empty to come as a guest.`;
    case -3320:
      return `A User ID of your own needs a UserSig ${whose}. Leave both empty to come as a guest.`;
    default:
      return null;
  }
}

/** Whether any of these errors is on a field that the advanced part hides. */
export function needsAdvanced(errors: FieldErrors): boolean {
  return FIELDS.some((field) => ADVANCED.has(field) && errors[field] !== undefined);
}

export function firstWrong(errors: FieldErrors): FieldName | null {
  return FIELDS.find((field) => errors[field] !== undefined) ?? null;
}

/** Who enters, as far as it was typed: the backend knows the rest. */
export function identityOf(form: JoinForm): {
  userId?: string;
  sdkAppId?: number;
  userSig?: string;
  privateMapKey?: string;
  passcode?: string;
  ticket?: string;
} {
  const userId = form.userId === "" ? {} : { userId: form.userId };
  if (form.where === "host") return userId;
  const [app, userSig] = [form.sdkAppId.trim(), form.userSig.trim()];
  const { passcode, ticket } = form;
  const privateMapKey = form.privateMapKey.trim();
  return {
    ...userId,
    ...(app === "" ? {} : { sdkAppId: Number(app) }),
    ...(userSig === "" ? {} : { userSig }),
    ...(privateMapKey === "" ? {} : { privateMapKey }),
    ...(passcode === "" ? {} : { passcode }),
    ...(ticket === "" ? {} : { ticket }),
  };
}

/** The room part of `enter_room`; call only for a form without errors. */
export function roomOf(form: JoinForm): { roomId: number } | { strRoomId: string } {
  return form.roomKind === "number"
    ? { roomId: Number(form.roomNumber.trim()) }
    : { strRoomId: form.roomText };
}

/** Whether one is seen in a meeting of this kind, in this role. */
export function isSeen({ scene, role }: JoinForm): boolean {
  return hasVideo(scene) && !(hasRoles(scene) && role === AUDIENCE);
}

/** In call scenes everybody is an anchor. */
export function roleOf(form: JoinForm): RoleId {
  return hasRoles(form.scene) ? form.role : ANCHOR;
}

/** What a person counts as one character. */
function characters(text: string): string[] {
  return Array.from(text);
}
