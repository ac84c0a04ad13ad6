// Provisional: replaced by what `cargo xtask types` writes.
export type ExitCause =
  | "left"
  | "entered_elsewhere"
  | "removed"
  | "dismissed"
  | "room_closed"
  | "host_stopped"
  | "server_stopped"
  | "connection_lost"
  | "unknown";
