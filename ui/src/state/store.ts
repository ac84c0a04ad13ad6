import { HostFault, type Host } from "../host/host";
import type { AppState } from "../types/AppState";
import type { Event } from "../types/Event";
import type { Hosting } from "../types/Hosting";
import type { Request } from "../types/Request";
import type { SignedUser } from "../types/SignedUser";
import { freshId, guestId } from "./identity";
import { writeInvitation } from "./invitation";
import {
  checkForm,
  EMPTY_FORM,
  firstWrong,
  roleOf,
  roomOf,
  serverUrl,
  type JoinForm,
} from "./join";
import { rememberForm, rememberedForm } from "./memory";
import { cameraWish, initialState, pageOf, reduce, type Action, type State } from "./state";
import { AUDIENCE, hasRoles, hasVideo } from "./terms";

/** What the page may ask for. Nothing here throws: what goes wrong ends up in the state. */
export type Store = {
  get: () => State;
  subscribe: (listener: () => void) => () => void;
  dispatch: (action: Action) => void;
  call: (request: Request) => Promise<unknown>;
  /** Asks the backend for its state and follows it. Returns what ends that. */
  start: () => () => void;
  /** Somebody touched the window: the preview may begin. A script alone never opens a device. */
  attend: () => Promise<void>;
  join: () => Promise<void>;
  cancelJoin: () => Promise<void>;
  leave: (how: "leave" | "end") => Promise<void>;
  toggleMicrophone: () => Promise<void>;
  toggleCamera: () => Promise<void>;
  /** Text that brings one more person in; null while nothing is hosted. */
  invitation: () => Promise<string | null>;
  stopHosting: () => Promise<void>;
  backToStart: () => void;
  joinAgain: () => Promise<void>;
};

export type StoreOptions = {
  /** Milliseconds since 1970. */
  now: () => number;
  storage: Storage | null;
};

/** Where to enter, and as part of which application. */
type Target = Pick<Hosting, "server" | "sdkAppId">;

export function createStore(host: Host, { now, storage }: StoreOptions): Store {
  let state = initialState({ ...EMPTY_FORM, ...rememberedForm(storage) });
  const listeners = new Set<() => void>();
  // Each attempt has a number, so that one given up cannot go on behind the person's back.
  let attempt = 0;

  const dispatch = (action: Action) => {
    const next = reduce(state, action);
    if (next === state) return;
    state = next;
    for (const listener of listeners) listener();
  };

  /** Calls and turns a refusal into a message on the page. */
  const attemptCall = async (request: Request): Promise<boolean> => {
    try {
      await host.call(request);
      return true;
    } catch (thrown) {
      dispatch({ type: "failed", message: HostFault.from(thrown).message, now: now() });
      return false;
    }
  };

  /** As above, but silent: a device's fault is part of the state and shown where it matters. */
  const quietCall = async (request: Request): Promise<void> => {
    await host.call(request).catch(() => undefined);
  };

  // Whose picture was asked for: everybody who shows one has a tile.
  const watched = new Set<string>();
  const askForPictures = ({ participants }: AppState): void => {
    const showing = new Set(
      participants.filter((one) => one.videoAvailable).map(({ userId }) => userId),
    );
    for (const userId of watched) if (!showing.has(userId)) watched.delete(userId);
    for (const userId of showing) {
      if (watched.has(userId)) continue;
      watched.add(userId);
      void quietCall({ command: "start_remote_view", args: { userId, streamType: 0 } });
    }
  };

  const target = async (form: JoinForm): Promise<Target> => {
    if (form.where === "host") {
      const opened =
        state.app.hosting ?? (await host.call({ command: "host_room", args: { lan: form.lan } }));
      return opened as Hosting;
    }
    return {
      server: serverUrl(form.server) ?? form.server,
      sdkAppId: form.sdkAppId.trim() === "" ? DEFAULT_APP : Number(form.sdkAppId.trim()),
    };
  };

  const userSig = async (form: JoinForm, sdkAppId: number, userId: string): Promise<string> => {
    const typed = form.userSig.trim();
    if (form.where === "server" && typed !== "") return typed;
    try {
      const made = await host.call({ command: "make_user_sig", args: { sdkAppId, userId } });
      return (made as SignedUser).userSig;
    } catch (thrown) {
      if (form.where === "host") throw thrown;
      throw new HostFault({
        code: -3320,
        message: "This server asks for a UserSig. Paste the one that its operator gave you.",
      });
    }
  };

  const enter = async (form: JoinForm): Promise<void> => {
    const mine = ++attempt;
    const stale = () => mine !== attempt;
    try {
      dispatch({ type: "step", step: form.where === "host" ? "hosting" : "signing" });
      const { server, sdkAppId } = await target(form);
      if (stale()) return;
      dispatch({ type: "step", step: "signing" });
      const userId = form.userId === "" ? guestId() : form.userId;
      const sig = await userSig(form, sdkAppId, userId);
      if (stale()) return;
      dispatch({ type: "step", step: "entering" });
      const audience = hasRoles(form.scene) && form.role === AUDIENCE;
      if (audience || !hasVideo(form.scene)) {
        await quietCall({ command: "stop_local_video", args: {} });
      } else if (form.camera && !state.app.camera.on) {
        await quietCall({ command: "start_local_video", args: {} });
      }
      if (form.microphone && !audience) {
        // Without a microphone one can still listen: the meeting goes on, and a message says why.
        await attemptCall({ command: "start_local_audio", args: {} });
      }
      if (stale()) return;
      await host.call({
        command: "enter_room",
        args: {
          server,
          sdkAppId,
          userId,
          userSig: sig,
          name: form.name.trim(),
          ...roomOf(form),
          scene: form.scene,
          role: roleOf(form),
        },
      });
    } catch (thrown) {
      if (stale()) return;
      const { code, message } = HostFault.from(thrown);
      dispatch({ type: "refused", code, message });
    }
  };

  const store: Store = {
    get: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispatch,
    call: (request) => host.call(request),

    start() {
      const stop = host.onEvent((event) => {
        dispatch({ type: "event", event, now: now() });
        if (event.event === "state") askForPictures(event.data);
      });
      void host
        .call({ command: "get_state", args: {} })
        .then((data) => {
          const event: Event = { event: "state", data: data as AppState };
          dispatch({ type: "event", event, now: now() });
        })
        .catch((thrown: unknown) => {
          dispatch({ type: "failed", message: HostFault.from(thrown).message, now: now() });
        });
      return stop;
    },

    async attend() {
      if (state.attended) return;
      dispatch({ type: "attended" });
      if (pageOf(state) === "join" && state.joining.form.camera && !state.app.camera.on) {
        await quietCall({ command: "start_local_video", args: {} });
      }
    },

    async join() {
      if (state.joining.step !== null) return;
      const { form } = state.joining;
      const errors = checkForm(form);
      dispatch({ type: "wrong", errors });
      if (firstWrong(errors) !== null) return;
      rememberForm(storage, form);
      await enter(form);
    },

    async cancelJoin() {
      attempt++;
      const entering = state.joining.step === "entering";
      dispatch({ type: "step", step: null });
      if (entering) await attemptCall({ command: "exit_room", args: {} });
      await quietCall({ command: "stop_local_audio", args: {} });
    },

    async leave(how) {
      await attemptCall({ command: how === "end" ? "stop_hosting" : "exit_room", args: {} });
    },

    async toggleMicrophone() {
      if (pageOf(state) === "join") {
        dispatch({ type: "edit", change: { microphone: !state.joining.form.microphone } });
        return;
      }
      const { on, muted } = state.app.microphone;
      // The wish is kept, so that joining again goes on the same way.
      dispatch({ type: "edit", change: { microphone: !on || muted } });
      await attemptCall(
        on
          ? { command: "mute_local_audio", args: { mute: !muted } }
          : { command: "start_local_audio", args: {} },
      );
    },

    async toggleCamera() {
      const on = cameraWish(state);
      dispatch({ type: "edit", change: { camera: !on } });
      if (pageOf(state) === "join") {
        // What is wrong with the camera stands in the preview.
        await quietCall({ command: on ? "stop_local_video" : "start_local_video", args: {} });
        return;
      }
      await attemptCall({ command: on ? "stop_local_video" : "start_local_video", args: {} });
    },

    async invitation() {
      const { room, hosting } = state.app;
      if (room === null || hosting === null) return null;
      const userId = freshId();
      const signed = await host
        .call({ command: "make_user_sig", args: { sdkAppId: hosting.sdkAppId, userId } })
        .catch(() => null);
      return writeInvitation({
        addresses: hosting.addresses,
        room:
          room.strRoomId === null
            ? { kind: "number", id: String(room.roomId ?? "") }
            : { kind: "text", id: room.strRoomId },
        scene: room.scene,
        sdkAppId: hosting.sdkAppId,
        guest: signed === null ? null : { userId, userSig: (signed as SignedUser).userSig },
      });
    },

    async stopHosting() {
      await attemptCall({ command: "stop_hosting", args: {} });
    },

    backToStart() {
      // Devices were let go with the meeting; the camera opens again only when asked to.
      dispatch({ type: "edit", change: { camera: state.app.camera.on } });
      dispatch({ type: "notice-read" });
    },

    async joinAgain() {
      dispatch({ type: "notice-read" });
      await store.join();
    },
  };
  return store;
}

/** The app that `confab-server --dev` and the server inside the app answer to. */
const DEFAULT_APP = 1400000001;
