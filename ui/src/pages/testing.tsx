import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { vi } from "vitest";
import { App } from "../App";
import { StoreContext } from "../components/store";
import { fakeHost, type FakeHost, type FakeOptions } from "../host/fake";
import { Store } from "../state/store";
import type { RoomState } from "../types/RoomState";

/** Renders the page on a simulated backend. */
export function show(options: FakeOptions = {}): FakeHost {
  const host = fakeHost(options);
  const store = new Store(host, { now: () => Date.now(), storage: localStorage });
  render(
    <StoreContext value={store}>
      <App />
    </StoreContext>,
  );
  return host;
}

/** What axe finds wrong; colours have a test of their own in styles.test.ts. */
export async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Fills in what is needed and joins. */
export async function join(): Promise<void> {
  await userEvent.type(screen.getByLabelText("Your name"), "Ada");
  await userEvent.type(screen.getByLabelText("Room"), "123{Enter}");
  await screen.findByTestId("meeting-page");
}

/** jsdom lays nothing out: a size lets the gallery place its tiles. */
export function layOut(): void {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1280);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(720);
}

/** The room that one is in stands so from now on: one's own, without more. */
export function stands(host: FakeHost, change: Partial<RoomState> = {}): void {
  const roomState: RoomState = {
    owner: host.state().room?.userId ?? "",
    coHosts: [],
    locked: false,
    waitingRoom: false,
    mutedAll: false,
    forbidden: [],
    banned: [],
    audience: 0,
    ...change,
  };
  act(() => {
    host.change({ roomState });
  });
}
