import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { statistics } from "../state/figures.samples";
import * as clipboard from "../components/clipboard";
import { faults, join, layOut, show } from "./testing";

// An engine that gives the clipboard to nobody.
vi.mock("../components/clipboard", () => ({ copyText: () => Promise.resolve(false) }));

beforeEach(layOut);

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

  it("leads to another room, and waits there without leaving this one", async () => {
    const host = show({ people: 1 });
    await join();
    await userEvent.click(screen.getByTestId("switch"));
    expect(await faults()).toEqual([]);
    await userEvent.type(screen.getByTestId("switch-room"), "123{Enter}");
    expect(screen.getByTestId("switch-room")).toHaveAccessibleDescription(
      "You are in this room already.",
    );
    expect(screen.getByTestId("switch-room")).toHaveFocus();
    await userEvent.clear(screen.getByTestId("switch-room"));
    await userEvent.type(screen.getByTestId("switch-room"), "124{Enter}");
    expect(host.calls.at(-1)).toEqual({ command: "switch_room", args: { roomId: 124 } });
    expect(screen.queryByTestId("switch-dialog")).toBeNull();
    expect(screen.getByTestId("switch-banner")).toHaveTextContent("Going to room 124…");
    expect(screen.getByTestId("switch")).toBeDisabled();
    act(() => {
      const { switching } = host.state();
      host.change({ switching: switching && { ...switching, waiting: true } });
    });
    expect(screen.getByTestId("switch-banner")).toHaveTextContent(
      "Waiting for the host of room 124 to let you in…",
    );
    expect(screen.getByTestId("tile-user-1")).toBeVisible();
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("switch-cancel"));
    expect(screen.queryByTestId("switch-banner")).toBeNull();
    expect(screen.queryByTestId("toast")).toBeNull();
  });
});
