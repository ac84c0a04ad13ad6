// Provisional: replaced by what `cargo xtask types` writes.
export type Participant = {
  userId: string;
  name: string;
  role: number;
  videoAvailable: boolean;
  audioAvailable: boolean;
  videoSize: [number, number] | null;
  audioLevel: number;
  speaking: boolean;
};
