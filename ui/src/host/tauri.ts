import { convertFileSrc, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Event } from "../types/Event";
import { HostFault, type Host } from "./host";

const CHANNEL = "confab://event";

/** The desktop shell. */
export function tauriHost(): Host {
  // Requests wait for the subscription, so that no answer's event is missed.
  let subscribed: Promise<unknown> = Promise.resolve();
  return {
    async call(request) {
      await subscribed;
      try {
        return await invoke("call", { request });
      } catch (thrown) {
        throw HostFault.from(thrown);
      }
    },
    onEvent(listener) {
      let left = false;
      let unlisten: (() => void) | undefined;
      subscribed = listen<Event>(CHANNEL, ({ payload }) => {
        if (!left) listener(payload);
      }).then((stop) => {
        if (left) stop();
        else unlisten = stop;
      });
      return () => {
        left = true;
        unlisten?.();
      };
    },
    async frames(after, signal) {
      const answer = await fetch(convertFileSrc(String(after), "stage"), { signal });
      if (answer.status === 204) return null;
      if (!answer.ok) throw new Error(`no frames: ${answer.status}`);
      return answer.arrayBuffer();
    },
    closeWindow(close) {
      // A window that does not close closes when it is asked once more.
      void invoke("close_window", { close }).catch(() => undefined);
    },
  };
}
