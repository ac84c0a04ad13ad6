import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { App } from "../App";
import { StoreContext } from "../components/store";
import { fakeHost, type FakeHost, type FakeOptions } from "../host/fake";
import { Store } from "../state/store";

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
