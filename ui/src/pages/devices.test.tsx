import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { faults, join, layOut, show } from "./testing";

beforeEach(layOut);

describe("the devices", () => {
  it("are chosen before the meeting, with the microphone open while they are looked at", async () => {
    const host = show();
    await userEvent.click(screen.getByTestId("devices"));
    const microphone = screen.getByTestId("select-microphone");
    expect(await within(microphone).findByText("Headset")).toBeInTheDocument();
    expect(microphone).toHaveDisplayValue("System default (Built-in microphone)");
    expect(host.state().microphone.on).toBe(true);
    expect(await faults()).toEqual([]);
    await userEvent.selectOptions(microphone, "mic-2");
    expect(microphone).toHaveValue("mic-2");
    await userEvent.selectOptions(microphone, "");
    expect(host.state().selected.microphone).toBeNull();
    await userEvent.click(screen.getByLabelText("Suppress noise"));
    expect(host.state().voiceProcessing).toEqual({
      echoCancellation: true,
      noiseSuppression: false,
      autoGainControl: true,
    });
    await userEvent.click(screen.getByTestId("devices-close"));
    expect(screen.queryByTestId("device-dialog")).toBeNull();
    expect(host.state().microphone.on).toBe(false);
  });

  it("come and go while the dialog is open", async () => {
    const host = show();
    await userEvent.click(screen.getByTestId("devices"));
    const microphone = screen.getByTestId("select-microphone");
    await userEvent.selectOptions(microphone, "mic-2");
    const headset = host.state().devices.filter(({ deviceId }) => deviceId !== "mic-2");
    act(() => {
      host.change({ devices: headset });
    });
    expect(microphone).toHaveDisplayValue("Headset (not connected)");
    expect(screen.queryByTestId("microphone-instead")).toBeNull();
    act(() => {
      host.emit({
        event: "onDeviceChange",
        data: { type: 0, deviceId: "mic-1", name: "Built-in microphone", state: 2, message: "" },
      });
    });
    expect(screen.getByTestId("microphone-instead")).toHaveTextContent(
      "“Built-in microphone” is used instead.",
    );
    expect(await faults()).toEqual([]);
    const table = { kind: 0, deviceId: "mic-3", name: "Table", isDefault: false } as const;
    act(() => {
      host.change({ devices: [...headset, table] });
    });
    expect(within(microphone).getByText("Table")).toBeInTheDocument();
    expect(host.calls.some(({ command }) => command === "list_devices")).toBe(false);
  });

  it("say why they do not work, each in its place", async () => {
    const host = show();
    await userEvent.click(screen.getByTestId("devices"));
    const fault = (message: string) => ({ code: 1205, message });
    act(() => {
      host.change({ speaker: { fault: fault("The speaker was unplugged; connect one.") } });
    });
    expect(screen.getByTestId("speaker-fault")).toHaveTextContent("The speaker was unplugged");
    expect(screen.queryByTestId("microphone-fault")).toBeNull();
    expect(await faults()).toEqual([]);
  });

  it("are waited for: a camera that is gone says so where its picture was", async () => {
    const host = show();
    await userEvent.type(screen.getByLabelText("Your name"), "Ada");
    const message = "The camera “Webcam HD” was unplugged, and there is no other; connect one.";
    act(() => {
      host.change({
        camera: { on: true, ready: false, muted: false, fault: { code: 1111, message } },
      });
    });
    expect(screen.getByTestId("preview-fault")).toHaveTextContent(message);
    // There is nothing to try: it is used as soon as it is there.
    expect(screen.queryByTestId("preview-retry")).toBeNull();
    act(() => {
      host.change({ camera: { on: true, ready: true, muted: false, fault: null } });
    });
    expect(screen.getByTestId("preview")).toHaveAttribute("data-video", "on");
  });

  it("are chosen in the meeting, where the microphone stays as it is", async () => {
    const host = show();
    await join();
    await userEvent.click(screen.getByTestId("toggle-microphone"));
    await userEvent.click(screen.getByTestId("devices"));
    await userEvent.selectOptions(
      screen.getByTestId("select-speaker"),
      await screen.findByText("Built-in speaker"),
    );
    expect(host.state().selected.speaker).toBe("speaker-1");
    await userEvent.click(screen.getByTestId("devices-close"));
    expect(host.state().microphone).toMatchObject({ on: true, muted: true });
  });
});
