// Provisional: replaced by what `cargo xtask types` writes.
import type { Fault } from "./Fault";

export type MicrophoneView = {
  on: boolean;
  muted: boolean;
  speaking: boolean;
  level: number;
  fault: Fault | null;
};
