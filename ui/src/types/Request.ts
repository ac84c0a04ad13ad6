// Provisional: replaced by what `cargo xtask types` writes.
import type { Scene } from "./Scene";

export type Request =
  | { command: "get_state"; args: Record<string, never> }
  | { command: "set_stage"; args: Scene }
  | { command: "start_local_video"; args: Record<string, never> }
  | { command: "stop_local_video"; args: Record<string, never> }
  | { command: "start_local_audio"; args: Record<string, never> }
  | { command: "stop_local_audio"; args: Record<string, never> }
  | { command: "mute_local_audio"; args: { mute: boolean } }
  | { command: "host_room"; args: Record<string, never> }
  | { command: "stop_hosting"; args: Record<string, never> }
  | { command: "make_user_sig"; args: { sdkAppId: number; userId: string } }
  | {
      command: "enter_room";
      args: {
        server?: string;
        sdkAppId: number;
        userId: string;
        userSig: string;
        name?: string;
        roomId?: number;
        strRoomId?: string;
        scene: number;
        role: number;
      };
    }
  | { command: "exit_room"; args: Record<string, never> };
