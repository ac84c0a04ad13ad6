// Provisional: replaced by what `cargo xtask types` writes.
import type { RoomEvent } from "./RoomEvent";
import type { ViewEvent } from "./ViewEvent";

export type Event = RoomEvent | ViewEvent;
