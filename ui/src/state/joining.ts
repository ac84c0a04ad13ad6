import {
  fieldOfFault,
  needsAdvanced,
  proofWords,
  type FieldErrors,
  type FieldName,
  type JoinForm,
} from "./join";
import { inWords } from "./words";

/** Those that are asked for only at one of the places. */
const WHERE_FIELDS: readonly FieldName[] = [
  "server",
  "passcode",
  "sdkAppId",
  "userSig",
  "privateMapKey",
  "hostPasscode",
  "hostPort",
];

/** Steps of joining that a person may have to wait for. */
export type Step = "hosting" | "entering" | "waiting";

export type Joining = {
  form: JoinForm;
  errors: FieldErrors;
  /** How often complaints came up: each time the person goes on at the first of them. */
  complaints: number;
  /** A refusal that belongs to no single field. */
  refusal: string | null;
  /** The advanced part is open. */
  advanced: boolean;
  /** What is being waited for; null when nothing is. */
  step: Step | null;
  /** The entry failed with this code, and nothing has said why yet. */
  unexplained: number | null;
};

/** A change takes back the complaint about what was changed, and no other. */
export function edit(joining: Joining, change: Partial<JoinForm>): Joining {
  const touched = new Set<FieldName>();
  if ("name" in change) touched.add("name");
  if ("roomKind" in change || "roomNumber" in change || "roomText" in change) touched.add("room");
  if ("server" in change) touched.add("server");
  if ("sdkAppId" in change) touched.add("sdkAppId");
  if ("userId" in change) touched.add("userId");
  if ("userSig" in change) touched.add("userSig");
  if ("passcode" in change) touched.add("passcode");
  if ("privateMapKey" in change) touched.add("privateMapKey");
  if ("hostPasscode" in change) touched.add("hostPasscode");
  if ("hostPort" in change) touched.add("hostPort");
  // A guest needs nothing that a User ID was lacking.
  if (change.userId === "" && joining.form.userSig.trim() === "")
    for (const field of ["sdkAppId", "userSig"] as const) touched.add(field);
  if ("where" in change) for (const field of WHERE_FIELDS) touched.add(field);
  // What lets somebody in once does so there and nowhere else.
  const elsewhere = (touched.has("server") || touched.has("room")) && !("ticket" in change);
  const errors = Object.fromEntries(
    Object.entries(joining.errors).filter(([field]) => !touched.has(field as FieldName)),
  );
  const form = { ...joining.form, ...(elsewhere ? { ticket: "" } : {}), ...change };
  return { ...joining, form, errors, refusal: null };
}

type Refusal = { code: number; detail?: number | null; message: string };

/** The backend refused: its sentence stands beside the field that it is about, where there is one. */
export function refuse(joining: Joining, { code, detail = null, message }: Refusal): Joining {
  const field = fieldOfFault(code, detail, joining.form, message);
  const idle: Joining = { ...joining, step: null, unexplained: null };
  const words = proofWords(code, joining.form) ?? inWords({ code, message });
  if (field === null) return { ...idle, refusal: words };
  const errors: FieldErrors = { [field]: words };
  const advanced = joining.advanced || needsAdvanced(errors);
  return { ...idle, errors, complaints: joining.complaints + 1, refusal: null, advanced };
}

/** The entry failed with that code; what was said about it already stays. */
export function fail(joining: Joining, code: number): Joining {
  const said = joining.refusal !== null || Object.keys(joining.errors).length > 0;
  if (said) return { ...joining, step: null };
  const message = `The room could not be entered (code ${code}). Try again in a moment.`;
  return { ...refuse(joining, { code, message }), unexplained: code };
}

/** Whether an error with that code says why an entry fails. */
export function explainsEntry({ step, unexplained }: Joining, code: number): boolean {
  return unexplained === code || (step !== null && !isDeviceCode(code));
}

/** Cameras, microphones and speakers, and all warnings: they never decide an entry. */
function isDeviceCode(code: number): boolean {
  return code > 0 || (code <= -1301 && code >= -1399);
}
