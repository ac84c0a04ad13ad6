// Provisional: replaced by what `cargo xtask types` writes.
import type { Role } from "./Role";
import type { RoomScene } from "./RoomScene";

export type RoomView = {
  server: string;
  sdkAppId: number;
  roomId: number | null;
  strRoomId: string | null;
  scene: RoomScene;
  role: Role;
  userId: string;
  name: string;
  enteredAt: number | null;
};
