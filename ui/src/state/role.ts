import type { State } from "./state";

/** TRTC's code for a PrivateMapKey that is wrong, or missing where one is asked for. */
export const INVALID_PERMISSION = -100006;

/**
 * Whether a switch of role offers a field for a fresh PrivateMapKey: to those whose application
 * signs for them, and where the last switch was refused for want of one.
 */
export function bringsPermission({ joining, permissionRefused }: State): boolean {
  const { where, userSig, privateMapKey } = joining.form;
  const signed = userSig.trim() !== "" || privateMapKey.trim() !== "";
  return permissionRefused || (where === "server" && signed);
}
