// Provisional: replaced by what `cargo xtask types` writes.
import type { AppState } from "./AppState";

export type ViewEvent = { event: "state"; data: AppState };
