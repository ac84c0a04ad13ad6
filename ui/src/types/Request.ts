// Provisional: replaced by what `cargo xtask types` writes.
import type { RawEnterParams } from "./RawEnterParams";
import type { Scene } from "./Scene";

export type Request =
  | { command: "enter_room"; args: RawEnterParams }
  | { command: "exit_room"; args: Record<string, never> }
  | { command: "start_local_video"; args: { source?: string } }
  | { command: "stop_local_video"; args: Record<string, never> }
  | { command: "start_local_audio"; args: { source?: string } }
  | { command: "stop_local_audio"; args: Record<string, never> }
  | { command: "mute_local_audio"; args: { mute: boolean } }
  | { command: "host_room"; args: { port?: number; lan?: boolean } }
  | { command: "stop_hosting"; args: Record<string, never> }
  | { command: "make_user_sig"; args: { sdkAppId?: number; userId?: string; expire?: number } }
  | { command: "set_stage"; args: Scene }
  | { command: "get_state"; args: Record<string, never> };
