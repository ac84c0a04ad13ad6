import type { Event } from "../types/Event";
import type { Fault } from "../types/Fault";
import type { Request } from "../types/Request";

/** What stands behind the page: the desktop shell, or a simulated meeting. */
export type Host = {
  /** Carries out one request. Rejects with a {@link HostFault} and nothing else. */
  call(request: Request): Promise<unknown>;
  /** Calls `listener` with every event from now on, until the returned function is called. */
  onEvent(listener: (event: Event) => void): () => void;
  /**
   * The frames of the tiles, where the page draws them itself: what came after the answer with the
   * number `after`, 0 for all, as soon as there is something. Null when nothing came for a while.
   * `state/frames.ts` reads them.
   */
  frames(after: number, signal: AbortSignal): Promise<ArrayBuffer | null>;
  /** Answers `closeAsked`: the window closes, or stays. */
  closeWindow(close: boolean): void;
};

/** A refusal by the backend: a stable code, and a sentence a person can act on. */
export class HostFault extends Error {
  readonly code: number;
  /** A closer code where there is one. */
  readonly detail: number | null;

  constructor(fault: Fault) {
    super(fault.message);
    this.name = "HostFault";
    this.code = fault.code;
    this.detail = fault.detail ?? null;
  }

  /** Reads whatever a transport threw; anything that is no fault becomes code -1. */
  static from(thrown: unknown): HostFault {
    if (thrown instanceof HostFault) return thrown;
    if (isFault(thrown)) return new HostFault(thrown);
    return new HostFault({
      code: -1,
      message:
        typeof thrown === "string"
          ? thrown
          : "Something went wrong inside the app. Try again; if it happens again, restart the app.",
    });
  }
}

function isFault(value: unknown): value is Fault {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "number" &&
    "message" in value &&
    typeof value.message === "string"
  );
}
