// Provisional: replaced by what `cargo xtask types` writes.
import type { Role } from "./Role";

export type Participant = {
  userId: string;
  name: string;
  role: Role;
  videoAvailable: boolean;
  audioAvailable: boolean;
  videoSize: [number, number] | null;
  audioLevel: number;
  speaking: boolean;
};
