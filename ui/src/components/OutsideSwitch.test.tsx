import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { fakeHost } from "../host/fake";
import { Store } from "../state/store";
import type { Outside } from "../types/Outside";
import { LanSwitch } from "./LanSwitch";
import { outsideHint } from "./OutsideSwitch";
import { StoreContext, usePageState } from "./store";

function Shown() {
  const { hosting } = usePageState().app;
  return hosting === null ? null : <LanSwitch hosting={hosting} testId="lan" />;
}

it("asks for a way in from outside, says how it stands, and ends it", async () => {
  const host = fakeHost();
  const store = new Store(host, { now: () => 0, storage: null });
  await host.call({ command: "host_room", args: {} });
  store.start();
  render(
    <StoreContext value={store}>
      <Shown />
    </StoreContext>,
  );
  const outside = await screen.findByTestId("lan-outside");
  expect(outside).not.toBeChecked();
  await userEvent.click(outside);
  expect(outside).toBeChecked();
  expect(screen.getByTestId("lan")).toBeChecked();
  expect(outside).toHaveAccessibleDescription(/203\.0\.113\.9:7880/);
  await userEvent.click(outside);
  expect(outside).not.toBeChecked();
  expect(screen.getByTestId("lan")).toBeChecked();
  await userEvent.click(outside);
  await userEvent.click(screen.getByTestId("lan"));
  expect(outside).not.toBeChecked();
});

it("shows what stands in the way in the app's own words", () => {
  const failed: Outside = { state: "failed", address: null, message: "No router answered." };
  expect(outsideHint(failed)).toBe("No router answered.");
  const unsure: Outside = { state: "open", address: "203.0.113.9:1", message: "Ask a friend." };
  expect(outsideHint(unsure)).toBe("Friends elsewhere reach you at 203.0.113.9:1. Ask a friend.");
});
