// Provisional: replaced by what `cargo xtask types` writes.
export type RoomView = {
  server: string;
  sdkAppId: number;
  roomId: number | null;
  strRoomId: string | null;
  scene: number;
  role: number;
  userId: string;
  name: string;
  enteredAt: number | null;
};
