// Provisional: replaced by what `cargo xtask types` writes.
import type { CameraView } from "./CameraView";
import type { ExitView } from "./ExitView";
import type { Hosting } from "./Hosting";
import type { MicrophoneView } from "./MicrophoneView";
import type { Participant } from "./Participant";
import type { Phase } from "./Phase";
import type { RoomView } from "./RoomView";

export type AppState = {
  phase: Phase;
  room: RoomView | null;
  hosting: Hosting | null;
  camera: CameraView;
  microphone: MicrophoneView;
  participants: Array<Participant>;
  exit: ExitView | null;
};
