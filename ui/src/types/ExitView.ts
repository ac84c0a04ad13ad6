// Provisional: replaced by what `cargo xtask types` writes.
import type { ExitCause } from "./ExitCause";
import type { ExitReason } from "./ExitReason";

export type ExitView = { reason: ExitReason; cause: ExitCause; by: string | null; message: string };
