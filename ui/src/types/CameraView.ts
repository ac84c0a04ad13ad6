// Provisional: replaced by what `cargo xtask types` writes.
import type { Fault } from "./Fault";

export type CameraView = { on: boolean; ready: boolean; muted: boolean; fault: Fault | null };
