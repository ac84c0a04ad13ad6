import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { statistics } from "../state/figures.samples";
import * as clipboard from "../components/clipboard";
import { faults, join, show } from "./testing";

// An engine that gives the clipboard to nobody.
vi.mock("../components/clipboard", () => ({ copyText: () => Promise.resolve(false) }));

beforeEach(() => {
  // jsdom lays nothing out: a size lets the gallery place its tiles.
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1280);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(720);
});

describe("the join page", () => {
  it("has no accessibility faults, filled or wrong", async () => {
    show();
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByLabelText("Join a server"));
    await userEvent.click(screen.getByTestId("advanced"));
    await userEvent.click(screen.getByTestId("join"));
    expect(screen.getByTestId("server-error")).toBeVisible();
    expect(await faults()).toEqual([]);
  });

  it("puts the focus on the first wrong field and ties the sentence to it", async () => {
    show();
    await userEvent.type(screen.getByLabelText("Your name"), "Ada");
    await userEvent.type(screen.getByLabelText("Room"), "0{Enter}");
    const room = screen.getByLabelText("Room");
    expect(room).toHaveFocus();
    expect(room).toHaveAccessibleDescription(
      "A room number is from 1 to 4294967294; 0 is outside.",
    );
    expect(room).toBeInvalid();
  });

  it.each([
    { code: -102011, message: "This server asks guests for a passcode.", field: "passcode" },
    { code: -3320, message: "This server takes no guests.", field: "user-sig" },
  ])("scrolls to the field $field together with its sentence", async ({ field, ...refuse }) => {
    const seen = vi.spyOn(Element.prototype, "scrollIntoView");
    show({ refuse });
    await userEvent.click(screen.getByTestId("where-server"));
    await userEvent.type(screen.getByTestId("server"), "10.0.0.9");
    await userEvent.type(screen.getByTestId("name"), "Ada");
    await userEvent.type(screen.getByTestId("room"), "1{Enter}");
    const sentence = await screen.findByTestId(`${field}-error`);
    expect(screen.getByTestId(field)).toHaveFocus();
    expect(seen.mock.lastCall).toEqual([{ block: "nearest" }]);
    const row = seen.mock.contexts.at(-1) as Element;
    expect(row).toContainElement(sentence);
    expect(row).toContainElement(screen.getByTestId(field));
  });

  it("turns the camera on with a first click on its button, and off with the next", async () => {
    const host = show();
    const button = screen.getByTestId("preview-camera");
    expect(button).toHaveAccessibleName("Turn camera on");
    await userEvent.click(button);
    expect(host.state().camera.on).toBe(true);
    expect(button).toHaveAccessibleName("Turn camera off");
    await userEvent.click(button);
    expect(host.state().camera.on).toBe(false);
  });

  it("leaves the focus in a field that is being mended while others are wrong", async () => {
    show();
    await userEvent.click(screen.getByTestId("join"));
    expect(screen.getByTestId("room-error")).toBeVisible();
    expect(screen.getByTestId("name")).toHaveFocus();
    await userEvent.keyboard("Ada");
    expect(screen.getByTestId("name")).toHaveValue("Ada");
    expect(screen.getByTestId("name")).toHaveFocus();
    await userEvent.keyboard("{Enter}");
    expect(screen.getByTestId("room")).toHaveFocus();
  });

  it("opens the advanced part for an error inside it", async () => {
    show();
    await userEvent.click(screen.getByTestId("advanced"));
    await userEvent.type(screen.getByLabelText("User ID"), "renée");
    await userEvent.click(screen.getByTestId("advanced"));
    await userEvent.type(screen.getByLabelText("Your name"), "Ada");
    await userEvent.type(screen.getByLabelText("Room"), "1{Enter}");
    expect(screen.getByTestId("advanced")).toHaveAttribute("aria-expanded", "true");
    expect(screen.getByTestId("user-id")).toHaveFocus();
  });

  it("asks for a role in live scenes only", async () => {
    show();
    expect(screen.queryByTestId("role-anchor")).toBeNull();
    await userEvent.click(screen.getByTestId("scene-live"));
    expect(screen.getByTestId("role-anchor")).toBeChecked();
    await userEvent.click(screen.getByTestId("scene-audioCall"));
    expect(screen.queryByTestId("role-anchor")).toBeNull();
  });

  it("keeps number and text apart when the switch is used", async () => {
    show();
    await userEvent.type(screen.getByTestId("room"), "123");
    await userEvent.click(screen.getByTestId("room-kind-text"));
    expect(screen.getByTestId("room")).toHaveValue("");
    await userEvent.type(screen.getByTestId("room"), "tea");
    await userEvent.click(screen.getByTestId("room-kind-number"));
    expect(screen.getByTestId("room")).toHaveValue("123");
  });

  it("hides the UserSig until it is asked to show it", async () => {
    show();
    await userEvent.click(screen.getByTestId("where-server"));
    await userEvent.click(screen.getByTestId("advanced"));
    expect(screen.getByTestId("user-sig")).toHaveAttribute("type", "password");
    await userEvent.click(screen.getByTestId("user-sig-show"));
    expect(screen.getByTestId("user-sig")).toHaveAttribute("type", "text");
  });

  it("fills itself from a pasted invitation", async () => {
    const invitation = { server: "10.0.0.9:7880", strRoomId: "tea", scene: 1 } as const;
    const host = show({ invitation });
    await userEvent.click(screen.getByTestId("where-server"));
    await userEvent.click(screen.getByTestId("server"));
    const text = "Join: confab://join?server=10.0.0.9&room=tea&kind=text&scene=live";
    await userEvent.paste(text);
    expect(screen.getByTestId("server")).toHaveValue("10.0.0.9:7880");
    expect(host.calls).toContainEqual({ command: "parse_invitation", args: { text } });
    expect(screen.getByTestId("room")).toHaveValue("tea");
    expect(screen.getByTestId("scene-live")).toBeChecked();
  });

  it("shows who hosts nearby, and goes there with a click", async () => {
    const host = show();
    expect(screen.queryByTestId("nearby")).toBeNull();
    await userEvent.click(screen.getByTestId("where-server"));
    expect(screen.getByTestId("nearby-note")).toHaveTextContent("No computer on this network");
    await userEvent.click(screen.getByTestId("where-host"));
    const address = "192.168.1.20:7880";
    const server = `${address}#${"q".repeat(43)}`;
    act(() => {
      host.change({ nearby: [{ name: "<b>Ada’s laptop</b>", address, server }] });
    });
    const one = screen.getByTestId(`nearby-${address}`);
    expect(one).toHaveTextContent("<b>Ada’s laptop</b>");
    expect(await faults()).toEqual([]);
    await userEvent.click(one);
    expect(screen.getByTestId("server")).toHaveValue(server);
    expect(one).toHaveAttribute("aria-pressed", "true");
    expect(screen.getByTestId("nearby-note")).toHaveTextContent("ask the host which one");
  });

  it("looks around only while it is shown", async () => {
    const host = show();
    const looks = () => host.calls.filter(({ command }) => command.endsWith("_nearby"));
    expect(looks().map(({ command }) => command)).toEqual(["start_nearby"]);
    await join();
    expect(looks().at(-1)?.command).toBe("stop_nearby");
  });

  it("says what is wrong with the camera where the picture would be", async () => {
    show({ noCamera: true });
    await userEvent.click(screen.getByTestId("name"));
    expect(await screen.findByTestId("preview-fault")).toHaveTextContent(
      "No camera was found on this computer. Connect one to be seen, or go on without.",
    );
  });

  it("can be used with the keyboard alone", async () => {
    const host = show();
    await userEvent.click(document.body);
    screen.getByTestId("name").focus();
    await userEvent.keyboard("Ada{Tab}{ArrowRight}{Tab}tea{Tab}{ArrowRight}{Enter}");
    await screen.findByTestId("meeting-page");
    expect(host.state().room).toMatchObject({ strRoomId: "tea", roomId: null, scene: 1 });
  });

  it("shows that it waits and can be cancelled", async () => {
    const host = show({ delay: 60_000 });
    await userEvent.type(screen.getByLabelText("Your name"), "Ada");
    await userEvent.type(screen.getByLabelText("Room"), "123{Enter}");
    expect(await screen.findByTestId("join-busy")).toHaveTextContent("Joining…");
    expect(screen.getByTestId("join-cancel")).toHaveFocus();
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("join-cancel"));
    expect(screen.getByTestId("join")).toBeEnabled();
    expect(host.state().phase).toBe("idle");
  });
});

describe("the meeting page", () => {
  it("has no accessibility faults, with everything open", async () => {
    const host = show({ people: 5 });
    await join();
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("toggle-participants"));
    await userEvent.click(screen.getByTestId("hosting-badge"));
    act(() => {
      host.emit({ event: "onConnectionLost" });
      host.emit({ event: "onWarning", data: { code: 1101, message: "Slow." } });
    });
    expect(screen.getByTestId("connection-banner")).toBeVisible();
    expect(screen.getByTestId("toast")).toHaveTextContent("Slow.");
    expect(await faults()).toEqual([]);
  });

  it("gives everybody a tile and a line in the list", async () => {
    show({ people: 2 });
    await join();
    expect(screen.getByTestId("tile-local")).toHaveTextContent("Ada (you)");
    expect(screen.getByTestId("tile-user-1")).toHaveTextContent("Grace Hopper");
    await userEvent.click(screen.getByTestId("toggle-participants"));
    const panel = within(screen.getByTestId("participants-panel"));
    expect(panel.getByTestId("participant-user-2")).toHaveTextContent("Muted");
  });

  it("says how well everybody's connection does, and what is wrong with it", async () => {
    const host = show({ people: 3 });
    await join();
    expect(screen.getByTestId("toggle-connection")).toHaveTextContent("Good connection");
    expect(screen.getByTestId("tile-local")).toHaveTextContent(", Good connection");
    expect(screen.getByTestId("tile-user-1")).toHaveTextContent(", Excellent connection");
    expect(screen.getByTestId("tile-user-3")).toHaveTextContent(
      "Poor connection: 12 % of the packets are lost",
    );
    await userEvent.click(screen.getByTestId("toggle-participants"));
    expect(screen.getByTestId("participant-user-3")).toHaveTextContent("Poor connection");
    act(() => {
      host.emit({ event: "onConnectionLost" });
    });
    expect(screen.getByTestId("toggle-connection")).toHaveTextContent("No connection");
    expect(screen.getByTestId("tile-user-3")).not.toHaveTextContent("connection");
  });

  it("shows the figures in words, as they come", async () => {
    const host = show({ people: 1 });
    await join();
    await userEvent.click(screen.getByTestId("toggle-connection"));
    expect(screen.getByRole("heading", { name: "Connection" })).toHaveFocus();
    const panel = within(screen.getByTestId("connection-panel"));
    expect(panel.getByTestId("connection-standing")).toHaveTextContent("Good connection");
    const figure = (label: string) => panel.getByText(label).nextElementSibling;
    expect(figure("To the server and back")).toHaveTextContent("23 ms");
    expect(panel.getByRole("heading", { name: "Grace Hopper" })).toBeVisible();
    act(() => {
      host.emit({ event: "onStatistics", data: statistics({ rtt: 480, downLoss: 9 }) });
      const local = { userId: "", quality: 3 } as const;
      host.emit({ event: "onNetworkQuality", data: { local, remote: [] } });
    });
    expect(figure("To the server and back")).toHaveTextContent("480 ms");
    expect(panel.getByTestId("connection-standing")).toHaveTextContent(
      "Poor connection9 % of what you receive is lost.",
    );
    act(() => {
      host.emit({ event: "onConnectionLost" });
    });
    expect(panel.queryByText("To the server and back")).toBeNull();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByTestId("connection-panel")).toBeNull();
    expect(screen.getByTestId("toggle-connection")).toHaveFocus();
  });

  it("shows how loud somebody is", async () => {
    const host = show({ people: 1 });
    await join();
    const level = () =>
      screen.getByTestId("tile-local").querySelector("[data-level]")?.getAttribute("data-level");
    expect(level()).toBe("0");
    act(() => {
      host.change({ microphone: { ...host.state().microphone, on: true, level: 40 } });
    });
    expect(level()).toBe("40");
  });

  it("shows initials where there is no picture and a hole where there is", async () => {
    show({ people: 3 });
    await join();
    expect(screen.getByTestId("tile-user-3")).toHaveTextContent("BL");
    expect(screen.getByTestId("tile-user-3")).toHaveAttribute("data-video", "off");
    expect(screen.getByTestId("tile-user-1")).toHaveAttribute("data-video", "on");
    expect(screen.getByTestId("tile-user-1")).not.toHaveTextContent("GH");
  });

  it("tells the backend where pictures belong, and cuts the same holes", async () => {
    vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(function (
      this: Element,
    ) {
      const { left, top, width, height } = (this as HTMLElement).style;
      return new DOMRect(parseInt(left), parseInt(top), parseInt(width), parseInt(height));
    });
    const host = show({ people: 3 });
    await join();
    const ids = () => host.stage()?.tiles.map(({ id }) => id);
    const holes = () => document.querySelector("svg path")?.getAttribute("d")?.match(/M/g)?.length;
    await waitFor(() => {
      expect(ids()).toEqual(["", "user-1", "user-2"]);
    });
    expect(holes()).toBe(1 + 3);
    expect(host.stage()?.tiles.map(({ mirror }) => mirror)).toEqual([true, false, false]);
    expect(host.stage()?.tiles[1]).toMatchObject({ fit: "fill", speaking: true });
    await userEvent.click(screen.getByTestId("toggle-camera"));
    await waitFor(() => {
      expect(ids()).toEqual(["user-1", "user-2"]);
    });
    expect(holes()).toBe(1 + 2);
    act(() => {
      host.leave({ reason: 2, cause: "dismissed", by: null, message: "" });
    });
    await waitFor(() => {
      expect(ids()).toEqual([]);
    });
  });

  it("mutes by button and by key, and says so", async () => {
    const host = show();
    await join();
    await userEvent.click(screen.getByTestId("toggle-microphone"));
    expect(host.state().microphone.muted).toBe(true);
    expect(screen.getByTestId("tile-local")).toHaveTextContent("Muted:");
    await userEvent.keyboard("{Control>}d{/Control}");
    expect(host.state().microphone.muted).toBe(false);
  });

  it("shows a microphone that is waited for as off, on the button as on the tile", async () => {
    const host = show();
    await join();
    const button = screen.getByTestId("toggle-microphone");
    const { microphone } = host.state();
    const message = "The microphone “Headset” was unplugged, and there is no other; connect one.";
    act(() => {
      host.change({ microphone: { ...microphone, fault: { code: 1201, message } } });
    });
    expect(screen.getByTestId("tile-local")).toHaveAttribute("data-microphone", "off");
    expect(button).toHaveAttribute("data-state", "off");
    expect(button).toHaveAccessibleName("No microphone");
    expect(button).toHaveAccessibleDescription(`${message} Mute the microphone (Ctrl+D)`);
    expect(await faults()).toEqual([]);
    await userEvent.click(button);
    expect(host.state().microphone.muted).toBe(true);
    expect(button).toHaveAccessibleName("Unmute");
  });

  it("tells somebody who waits alone where the others find the room", async () => {
    show({ people: 0 });
    await join();
    const card = within(screen.getByTestId("invite-card"));
    expect(card.getByTestId("invite-card-address")).toHaveTextContent("127.0.0.1:7880");
    expect(card.getByTestId("invite-card-room")).toHaveTextContent("123");
  });

  it("gives everybody in a room every form of an invitation to it", async () => {
    const copied: string[] = [];
    const copy = vi.spyOn(clipboard, "copyText").mockImplementation((text) => {
      copied.push(text);
      return Promise.resolve(true);
    });
    const host = show({ people: 2 });
    await join();
    act(() => {
      host.change({ hosting: null });
    });
    await userEvent.click(screen.getByTestId("invite"));
    const link = "confab://join?server=http://127.0.0.1:7880&room=123";
    expect(await screen.findByDisplayValue(link)).toHaveAccessibleName("Link that opens Confab");
    expect(await faults()).toEqual([]);
    for (const button of ["invite-link-copy", "invite-page-copy", "invite-message-copy"])
      await userEvent.click(screen.getByTestId(button));
    expect(copied).toEqual([
      link,
      "https://http://127.0.0.1:7880/join?server=http://127.0.0.1:7880&room=123",
      `Join my Confab meeting: ${link}`,
    ]);
    expect(screen.getByTestId("invite-message-copy")).toHaveTextContent("Copied");
    await userEvent.click(screen.getByTestId("invite-close"));
    expect(screen.queryByTestId("invite-dialog")).toBeNull();
    copy.mockRestore();
  });

  it("says in the dialog why nobody can be invited", async () => {
    const host = show({ people: 0 });
    await join();
    await userEvent.click(screen.getByTestId("invite-card-links"));
    await userEvent.click(await screen.findByTestId("invite-close"));
    const hosting = host.state().hosting;
    act(() => {
      host.change({ hosting: hosting && { ...hosting, lan: true, addresses: [] } });
    });
    expect(screen.getByTestId("invite-card-links")).toBeDisabled();
  });

  it("asks whether to leave for another room", async () => {
    const host = show({ people: 2 });
    await join();
    act(() => {
      host.invite({ server: "10.0.0.9:7880", strRoomId: "tea" });
    });
    expect(await screen.findByTestId("end-dialog")).toHaveTextContent(
      "You are invited to the room “tea” at 10.0.0.9:7880. You leave this room if you go there; it stays open on this computer.",
    );
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("end-cancel"));
    expect(screen.queryByTestId("end-dialog")).toBeNull();
    expect(host.state().phase).toBe("in");
    act(() => {
      host.invite({ server: "10.0.0.9:7880", strRoomId: "tea" });
    });
    await userEvent.click(await screen.findByTestId("end-all"));
    expect(await screen.findByTestId("join-page")).toBeVisible();
    expect(screen.getByTestId("server")).toHaveValue("10.0.0.9:7880");
  });

  it("asks a host before the others lose the room", async () => {
    const host = show({ people: 2 });
    await join();
    await userEvent.click(screen.getByTestId("leave"));
    expect(screen.getByTestId("end-dialog")).toBeVisible();
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("end-cancel"));
    expect(screen.queryByTestId("end-dialog")).toBeNull();
    expect(host.state().phase).toBe("in");
    await userEvent.click(screen.getByTestId("leave"));
    await userEvent.click(screen.getByTestId("end-all"));
    expect(await screen.findByTestId("exit-title")).toHaveTextContent("You ended the meeting");
  });

  it("asks before the window closes, and once more after it stayed", async () => {
    const host = show({ people: 2 });
    await join();
    for (const [answer, closes] of [
      ["end-cancel", false],
      ["end-all", true],
    ] as const) {
      act(() => {
        host.emit({ event: "closeAsked", data: {} });
      });
      expect(screen.getByTestId("end-dialog")).toHaveTextContent("over for everyone");
      await userEvent.click(screen.getByTestId(answer));
      expect(screen.queryByTestId("end-dialog")).toBeNull();
      expect(host.closings.splice(0)).toEqual([closes]);
    }
  });

  it("asks on the join page before it stops hosting", async () => {
    const host = show({ people: 2 });
    await join();
    await userEvent.click(screen.getByTestId("leave"));
    await userEvent.click(screen.getByTestId("end-leave"));
    await userEvent.click(await screen.findByTestId("exit-back"));
    await userEvent.click(screen.getByTestId("stop-hosting"));
    expect(host.state().hosting).not.toBeNull();
    await userEvent.click(screen.getByTestId("end-all"));
    expect(host.state().hosting).toBeNull();
  });

  it("lets a guest leave at once", async () => {
    const host = show({ people: 2 });
    await join();
    act(() => {
      host.change({ hosting: null });
    });
    await userEvent.click(screen.getByTestId("leave"));
    expect(await screen.findByTestId("exit-title")).toHaveTextContent("You left");
  });
});

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

describe("moving about with the keyboard", () => {
  it("takes the focus into the list of people and back", async () => {
    show({ people: 2 });
    await join();
    screen.getByTestId("toggle-participants").focus();
    await userEvent.keyboard("{Enter}");
    expect(screen.getByRole("heading", { name: "People 3" })).toHaveFocus();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByTestId("participants-panel")).toBeNull();
    expect(screen.getByTestId("toggle-participants")).toHaveFocus();
    await userEvent.keyboard("{Enter}{Tab}");
    expect(screen.getByTestId("participants-close")).toHaveFocus();
    await userEvent.keyboard("{Enter}");
    expect(screen.getByTestId("toggle-participants")).toHaveFocus();
  });

  it("closes one thing with one Escape, the one above first", async () => {
    show({ people: 2 });
    await join();
    await userEvent.click(screen.getByTestId("toggle-participants"));
    await userEvent.click(screen.getByTestId("hosting-badge"));
    await userEvent.keyboard("{Escape}");
    expect(screen.getByTestId("hosting-badge")).toHaveFocus();
    expect(screen.getByTestId("hosting-badge")).toHaveAttribute("aria-expanded", "false");
    expect(screen.getByTestId("participants-panel")).toBeVisible();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByTestId("participants-panel")).toBeNull();
  });

  it("goes on at the button that joins when an entry was cancelled or refused", async () => {
    show({ delay: 60_000 });
    await userEvent.type(screen.getByTestId("name"), "Ada");
    await userEvent.type(screen.getByTestId("room"), "1{Enter}");
    await screen.findByTestId("join-busy");
    await userEvent.keyboard("{Enter}");
    expect(screen.getByTestId("join")).toHaveFocus();
  });

  it("goes on with the room after the notice", async () => {
    const host = show();
    await join();
    act(() => {
      host.leave({ reason: 1, cause: "removed", by: null, message: "" });
    });
    await userEvent.click(screen.getByTestId("exit-back"));
    expect(screen.getByTestId("room")).toHaveFocus();
  });
});

describe("a failure", () => {
  it("in the meeting is said until it is closed", async () => {
    const host = show();
    await join();
    act(() => {
      host.emit({ event: "onError", data: { code: -1302, message: "No microphone was found." } });
    });
    expect(screen.getByTestId("toast")).toHaveTextContent("No microphone was found.");
    await userEvent.click(screen.getByTestId("toast-close"));
    expect(screen.queryByTestId("toast")).toBeNull();
  });

  it("to copy an invitation is said, with what to do instead", async () => {
    show({ people: 0 });
    await join();
    await userEvent.click(screen.getByTestId("invite-card-copy"));
    expect(await screen.findByTestId("toast")).toHaveTextContent(
      "The invitation could not be copied. Tell the others the server and the room.",
    );
  });

  it("of the entry leaves everything as it was typed", async () => {
    show({ refuse: { code: -100018, message: "It has expired; ask for a new one." } });
    const typed = {
      name: "Ada",
      room: "77",
      server: "10.0.0.9:7880",
      "user-id": "ada",
      "sdk-app-id": "1400000001",
      "user-sig": "eJw",
    };
    await userEvent.click(screen.getByTestId("where-server"));
    await userEvent.click(screen.getByTestId("advanced"));
    for (const [field, text] of Object.entries(typed)) {
      await userEvent.type(screen.getByTestId(field), text);
    }
    await userEvent.keyboard("{Enter}");
    expect(await screen.findByTestId("user-sig-error")).toHaveTextContent("It has expired");
    expect(screen.getByTestId("user-sig")).toHaveFocus();
    for (const [field, text] of Object.entries(typed)) {
      expect(screen.getByTestId(field)).toHaveValue(text);
    }
  });
});

describe("the exit notice", () => {
  it("says who did it, has the focus, and has no accessibility faults", async () => {
    const host = show();
    await join();
    act(() => {
      host.leave({ reason: 1, cause: "removed", by: "Grace", message: "" });
    });
    expect(screen.getByTestId("exit-title")).toHaveFocus();
    expect(screen.getByTestId("exit-what")).toHaveTextContent("Grace removed you from room 123.");
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("exit-back"));
    expect(screen.getByTestId("join-page")).toBeVisible();
    expect(screen.getByTestId("name")).toHaveValue("Ada");
  });
});
