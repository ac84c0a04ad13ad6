// Provisional: replaced by what `cargo xtask types` writes.
import type { Role } from "./Role";
import type { RoomScene } from "./RoomScene";

export type RawEnterParams = {
  server?: string;
  sdkAppId?: number;
  userId?: string;
  userSig?: string;
  name?: string;
  roomId?: number;
  strRoomId?: string;
  scene?: RoomScene;
  role?: Role;
  privateMapKey?: string;
};
