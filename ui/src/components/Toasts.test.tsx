import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fakeHost } from "../host/fake";
import { Store } from "../state/store";
import { StoreContext, usePageState } from "./store";
import { Toasts } from "./Toasts";

let store: Store;

function Shown() {
  return <Toasts toasts={usePageState().toasts} />;
}

beforeEach(() => {
  vi.useFakeTimers();
  store = new Store(fakeHost(), { now: () => Date.now(), storage: null });
  render(
    <StoreContext value={store}>
      <Shown />
    </StoreContext>,
  );
});

afterEach(() => {
  vi.useRealTimers();
});

const say = (code: number, message: string) => {
  act(() => {
    store.dispatch({ type: "complained", fault: { code, message }, now: Date.now() });
  });
};

const pass = (milliseconds: number) => {
  act(() => {
    vi.advanceTimersByTime(milliseconds);
  });
};

it("lets a warning go after a while, and an error only when it is closed", () => {
  say(1101, "Slow.");
  say(-102052, "Full.");
  pass(14_000);
  expect(screen.getAllByTestId("toast")).toHaveLength(2);
  pass(2_000);
  expect(screen.getByTestId("toast")).toHaveTextContent("Full.");
  pass(3_600_000);
  fireEvent.click(screen.getByTestId("toast-close"));
  expect(screen.queryByTestId("toast")).toBeNull();
});

it.each([
  ["the pointer", "pointerEnter", "pointerLeave"],
  ["the focus", "focus", "blur"],
] as const)("keeps a message while %s is on it, and a moment longer", (_, comes, goes) => {
  say(1101, "Slow.");
  const toast = screen.getByTestId("toast");
  const target = comes === "focus" ? screen.getByTestId("toast-close") : toast;
  fireEvent[comes](target);
  pass(60_000);
  expect(toast).toBeVisible();
  fireEvent[goes](target);
  pass(1_900);
  expect(toast).toBeVisible();
  pass(200);
  expect(screen.queryByTestId("toast")).toBeNull();
});
