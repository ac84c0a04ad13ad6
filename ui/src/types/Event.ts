// Provisional: replaced by what `cargo xtask types` writes.
import type { AppState } from "./AppState";

export type Event =
  | { event: "state"; data: AppState }
  | { event: "onEnterRoom"; data: { result: number } }
  | {
      event: "onExitRoom";
      data: { reason: number; cause: string; by: string | null; message: string };
    }
  | { event: "onRemoteUserEnterRoom"; data: { userId: string; name: string } }
  | { event: "onRemoteUserLeaveRoom"; data: { userId: string; reason: number } }
  | { event: "onConnectionLost" }
  | { event: "onTryToReconnect" }
  | { event: "onConnectionRecovery" }
  | { event: "onError"; data: { code: number; message: string } }
  | { event: "onWarning"; data: { code: number; message: string } };
