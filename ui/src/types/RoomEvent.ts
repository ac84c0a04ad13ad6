// Provisional: replaced by what `cargo xtask types` writes.
import type { ExitCause } from "./ExitCause";
import type { ExitReason } from "./ExitReason";
import type { LeaveReason } from "./LeaveReason";

export type RoomEvent =
  | { event: "onError"; data: { code: number; detail?: number; message: string } }
  | { event: "onWarning"; data: { code: number; message: string } }
  | { event: "onEnterRoom"; data: { result: number } }
  | {
      event: "onExitRoom";
      data: { reason: ExitReason; cause: ExitCause; by: string | null; message: string };
    }
  | { event: "onRemoteUserEnterRoom"; data: { userId: string; name: string } }
  | { event: "onRemoteUserLeaveRoom"; data: { userId: string; reason: LeaveReason } }
  | { event: "onFirstAudioFrame"; data: { userId: string } }
  | { event: "onCameraDidReady" }
  | { event: "onConnectionLost" }
  | { event: "onTryToReconnect" }
  | { event: "onConnectionRecovery" };
