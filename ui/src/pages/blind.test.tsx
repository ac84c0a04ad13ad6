import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { faults, join, show } from "./testing";

const CANVAS = { presenter: { kind: "canvas", why: "CONFAB_STAGE=canvas asks for it." } } as const;

beforeEach(() => {
  // jsdom lays nothing out: a size lets the gallery place its tiles.
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1280);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(720);
  vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockReturnValue(
    new DOMRect(0, 0, 320, 180),
  );
  // As in a webview without WebGL.
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null);
});

describe("a web view that cannot draw", () => {
  it("says so, and shows a placeholder for everybody with a picture", async () => {
    const host = show({ people: 1 });
    await join();
    await waitFor(() => {
      expect(host.stage()?.tiles.map(({ id }) => id)).toContain("user-1");
    });
    expect(screen.queryByTestId("stage-fault")).toBeNull();

    act(() => {
      host.change(CANVAS);
    });
    expect(await screen.findByTestId("stage-fault")).toHaveTextContent("no WebGL");
    expect(screen.getByTestId("tile-user-1")).toHaveTextContent("GH");
    await waitFor(() => {
      expect(host.stage()?.tiles).toEqual([]);
    });
    expect(await faults()).toEqual([]);
  });

  it("does not wait for a camera that is on", async () => {
    const host = show();
    // The answer about the state at the start is in.
    await act(() => Promise.resolve());
    act(() => {
      host.change({
        ...CANVAS,
        camera: { on: true, ready: true, muted: false, fault: null },
      });
    });
    expect(await screen.findByText("Your camera is on.")).toBeVisible();
    await userEvent.click(screen.getByTestId("preview-camera"));
    expect(await screen.findByText("Your camera is off.")).toBeVisible();
  });
});
