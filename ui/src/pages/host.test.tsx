import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import type { FakeHost } from "../host/fake";
import type { HostAction } from "../types/HostAction";
import type { RoomState } from "../types/RoomState";
import { faults, join, layOut, show, stands } from "./testing";

beforeEach(layOut);

/** A meeting with two others whose room stands so; the list of people is open. */
async function meet(change: Partial<RoomState> = {}): Promise<FakeHost> {
  const host = show({ people: 2 });
  await join();
  stands(host, change);
  await userEvent.click(screen.getByTestId("toggle-participants"));
  return host;
}

function acts(host: FakeHost): HostAction[] {
  return host.calls.flatMap((call) => (call.command === "host_action" ? [call.args] : []));
}

function firstOther(host: FakeHost): string {
  return host.state().participants[0]?.userId ?? "";
}

describe("a host", () => {
  it("does to one person what the menu says, and is asked before what cannot be undone", async () => {
    const host = await meet();
    const userId = firstOther(host);
    await userEvent.click(screen.getByTestId(`menu-${userId}`));
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("do-silence"));
    expect(acts(host)).toEqual([{ action: "mute", userId, allowUnmute: false }]);
    await userEvent.click(screen.getByTestId(`menu-${userId}`));
    await userEvent.click(screen.getByTestId("do-ban"));
    expect(acts(host)).toHaveLength(1);
    await userEvent.click(screen.getByTestId("end-all"));
    expect(acts(host).at(-1)).toEqual({ action: "remove", userId, ban: true });
  });

  it("mutes all, locks the room and makes people wait", async () => {
    const host = await meet({ audience: 3 });
    await userEvent.click(screen.getByTestId("mute-all"));
    await userEvent.click(screen.getByTestId("forbid-unmute"));
    await userEvent.click(screen.getByTestId("lock-room"));
    await userEvent.click(screen.getByTestId("waiting-room"));
    expect(acts(host)).toEqual([
      { action: "mute" },
      { action: "mute", allowUnmute: false },
      { action: "lock", on: true },
      { action: "waitingRoom", on: true },
    ]);
    expect(screen.getByTestId("audience-count")).toHaveTextContent("3 people watch");
  });

  it("lets those in who wait, or sends them away", async () => {
    const host = await meet({ waitingRoom: true });
    const people = [
      { userId: "kim", name: "Kim" },
      { userId: "lee", name: "" },
    ];
    act(() => {
      host.emit({ event: "onWaitingList", data: { people } });
      host.change({ waiting: people });
    });
    expect(screen.getByText("Kim and 1 more wait to come in")).toBeInTheDocument();
    expect(screen.getByTestId("toggle-participants")).toHaveTextContent("2 waiting");
    expect(await faults()).toEqual([]);
    const list = within(screen.getByTestId("waiting-list"));
    await userEvent.click(list.getByRole("button", { name: "Admit Kim" }));
    await userEvent.click(list.getByRole("button", { name: "Send away lee" }));
    await userEvent.click(screen.getByTestId("admit-all"));
    expect(acts(host)).toEqual([
      { action: "admit", userId: "kim" },
      { action: "deny", userId: "lee" },
      { action: "admit" },
    ]);
  });

  it("ends the sharing of a screen", async () => {
    const host = await meet();
    const userId = firstOther(host);
    await userEvent.click(screen.getByTestId(`menu-${userId}`));
    expect(screen.queryByTestId("do-share")).toBeNull();
    act(() => {
      const participants = host.state().participants.map((one) => ({
        ...one,
        screenAvailable: true,
      }));
      host.change({ participants });
    });
    await userEvent.click(screen.getByTestId("do-share"));
    expect(acts(host)).toEqual([{ action: "stopShare", userId }]);
  });

  it("sees by name who is kept out, and lets them back in", async () => {
    const host = await meet();
    expect(screen.queryByTestId("banned-list")).toBeNull();
    const [gone, ...participants] = host.state().participants;
    act(() => {
      const stands = host.state().roomState;
      const banned = [gone?.userId ?? "", "guest-x"];
      host.change({ participants, roomState: stands && { ...stands, banned } });
    });
    const list = within(screen.getByTestId("banned-list"));
    expect(list.getByTestId("banned-guest-x")).toHaveTextContent("guest-x");
    expect(await faults()).toEqual([]);
    await userEvent.click(list.getByRole("button", { name: "Let back in Grace Hopper" }));
    expect(acts(host)).toEqual([{ action: "unban", userId: gone?.userId }]);
  });

  it("invites one person once, with a ticket in place of the passcode", async () => {
    const host = await meet();
    act(() => {
      const { hosting } = host.state();
      host.change({ hosting: hosting && { ...hosting, passcode: true } });
    });
    await userEvent.click(screen.getByTestId("hosting-badge"));
    expect(screen.getByTestId("invite-door")).toHaveTextContent("Guests need the passcode");
    await userEvent.click(screen.getByTestId("invite-links"));
    const link = screen.getByTestId("invite-link");
    await waitFor(() => {
      expect(link).toHaveDisplayValue(/&passcode=tea$/);
    });
    expect(screen.getByTestId("invite-dialog")).toHaveTextContent("The passcode is in them.");
    await userEvent.click(screen.getByTestId("invite-once"));
    await waitFor(() => {
      expect(link).toHaveDisplayValue(/room=123&ticket=ticket-1$/);
    });
    expect(screen.getByTestId("invite-dialog")).toHaveTextContent("The first who uses one");
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("invite-another"));
    await waitFor(() => {
      expect(link).toHaveDisplayValue(/ticket-2$/);
    });
    await userEvent.click(screen.getByTestId("invite-once"));
    await waitFor(() => {
      expect(link).toHaveDisplayValue(/&passcode=tea$/);
    });
  });

  it("changes who comes in to the rooms open here", async () => {
    const host = await meet();
    await userEvent.click(screen.getByTestId("hosting-badge"));
    const door = within(screen.getByRole("region", { name: "Who comes in" }));
    await userEvent.type(door.getByLabelText("Passcode for guests"), "tea{Enter}");
    expect(host.state().hosting).toMatchObject({ passcode: true, waitingRoom: false });
    expect(screen.getByTestId("invite-door")).toHaveTextContent("Guests need the passcode");
    const wait = "Those who come wait until I let them in";
    await userEvent.click(door.getByRole("checkbox", { name: wait }));
    expect(host.state().hosting).toMatchObject({ passcode: true, waitingRoom: true });
    expect(await faults()).toEqual([]);
    await userEvent.click(door.getByRole("button", { name: "Ask for none" }));
    expect(host.state().hosting?.passcode).toBe(false);
    expect(screen.getByTestId("hosting-badge")).toHaveAttribute("aria-expanded", "true");
    await userEvent.click(screen.getByTestId("invite-lan-outside"));
    expect(host.state().hosting).toMatchObject({ lan: true, outside: { state: "open" } });
    act(() => {
      host.change({ hosting: null });
    });
    expect(screen.queryByRole("region", { name: "Who comes in" })).toBeNull();
  });

  it("may end the meeting for everybody when leaving", async () => {
    const host = await meet();
    act(() => {
      host.change({ hosting: null });
    });
    await userEvent.click(screen.getByTestId("leave"));
    await userEvent.click(screen.getByTestId("end-all"));
    expect(host.calls.some((call) => ["host_action", "stop_hosting"].includes(call.command))).toBe(
      true,
    );
  });
});

describe("somebody who is no host", () => {
  it("sees who is, and may mute and hide others for themselves", async () => {
    const host = await meet({ owner: "somebody", coHosts: [] });
    const userId = firstOther(host);
    act(() => {
      host.change({ roomState: { ...host.state().roomState, owner: userId } as RoomState });
    });
    expect(screen.getByTestId(`participant-${userId}`)).toHaveTextContent("Host");
    expect(screen.queryByTestId("host-tools")).toBeNull();
    await userEvent.click(screen.getByTestId(`menu-${userId}`));
    const menu = screen.getByRole("group", { name: "What to do with Grace Hopper" });
    expect(
      within(menu)
        .getAllByRole("button")
        .map(({ textContent }) => textContent),
    ).toEqual(["Mute for me", "Hide picture"]);
  });

  it("hears and sees somebody no longer, alone, and takes that back", async () => {
    const host = await meet({ owner: "somebody" });
    const userId = firstOther(host);
    const choose = async (choice: string) => {
      await userEvent.click(screen.getByTestId(`menu-${userId}`));
      await userEvent.click(screen.getByTestId(`do-${choice}`));
    };
    await choose("mute-for-me");
    expect(screen.getByTestId(`menu-${userId}`)).toHaveFocus();
    await choose("hide-for-me");
    expect(host.state().participants[0]).toMatchObject({ audioMuted: true, videoMuted: true });
    const row = screen.getByTestId(`participant-${userId}`);
    expect(row).toHaveTextContent("Muted for you · Picture hidden");
    // Instead of a picture that stands still.
    expect(screen.getByTestId(`tile-${userId}`)).toHaveTextContent("GH");
    expect(await faults()).toEqual([]);
    await choose("mute-for-me");
    await choose("hide-for-me");
    expect(row).not.toHaveTextContent("for you");
    expect(screen.getByTestId(`tile-${userId}`)).not.toHaveTextContent("GH");
  });

  it("hears and sees nobody at all, and takes that back", async () => {
    const host = await meet({ owner: "somebody" });
    const choose = async (name: string) => {
      await userEvent.click(screen.getByRole("button", { name: "What to do with everybody else" }));
      await userEvent.click(screen.getByRole("button", { name }));
    };
    await choose("Hear nobody");
    expect(screen.getByTestId("everybody-menu")).toHaveFocus();
    await choose("Show no pictures");
    expect(host.calls.slice(-2)).toEqual([
      { command: "mute_all_remote_audio", args: { mute: true } },
      { command: "mute_all_remote_video_streams", args: { mute: true } },
    ]);
    const row = screen.getByTestId("everybody");
    expect(row).toHaveTextContent("Muted for you · Pictures hidden");
    expect(row).toHaveAttribute("data-silenced", "true");
    expect(screen.getByTestId("tile-user-1")).toHaveTextContent("GH");
    await userEvent.click(screen.getByTestId("everybody-menu"));
    const menu = screen.getByRole("group", { name: "What to do with everybody else" });
    expect(within(menu).getAllByRole("button")).toHaveLength(2);
    expect(await faults()).toEqual([]);
    await userEvent.click(within(menu).getByRole("button", { name: "Hear everybody" }));
    await choose("Show all pictures");
    expect(row).not.toHaveTextContent("Muted for you");
    expect(host.state().participants.some((one) => one.audioMuted || one.videoMuted)).toBe(false);
  });

  it("is told what a host did", async () => {
    const host = await meet({ owner: "boss" });
    const me = host.state().room?.userId ?? "";
    act(() => {
      host.emit({
        event: "onHostAction",
        data: { action: "mute", userId: me, allowUnmute: false, by: "boss" },
      });
    });
    expect(screen.getByText(/boss muted you\. You can unmute when/)).toBeInTheDocument();
  });
});

describe("waiting to be let in", () => {
  it("is said, and can be given up", async () => {
    const host = show({ delay: 60_000 });
    await userEvent.type(screen.getByLabelText("Your name"), "Ada");
    await userEvent.type(screen.getByLabelText("Room"), "123{Enter}");
    await screen.findByTestId("join-busy");
    act(() => {
      host.change({ phase: "waiting" });
    });
    expect(screen.getByTestId("join-busy")).toHaveTextContent("Waiting for the host");
    await userEvent.click(screen.getByTestId("join-cancel"));
    expect(host.calls.at(-1)?.command).toBe("exit_room");
  });
});

describe("a live room", () => {
  it("has a way on the stage and off it", async () => {
    const host = await meet();
    const room = host.state().room;
    if (room === null) throw new Error("in no room");
    act(() => {
      host.change({ room: { ...room, scene: 1, role: 21 } });
    });
    const button = screen.getByTestId("switch-role");
    expect(button).toHaveTextContent("Go on stage");
    await userEvent.click(button);
    expect(host.calls.at(-1)).toEqual({ command: "switch_role", args: { role: 20 } });
    act(() => {
      host.emit({ event: "onSwitchRole", data: { code: -100006, message: "No.", role: 21 } });
    });
    expect(screen.getByText(/^No\./)).toBeInTheDocument();
    // Where a permission was missing there is a field for one.
    await userEvent.click(button);
    expect(screen.getByRole("dialog", { name: "Go off stage" })).toBeVisible();
  });

  it("takes a fresh permission from those whom their application signs for", async () => {
    const host = show({ people: 1 });
    for (const control of ["where-server", "advanced", "scene-live"])
      await userEvent.click(screen.getByTestId(control));
    const typed = { server: "10.0.0.9", "user-id": "ada", "sdk-app-id": "7", "user-sig": "eJw" };
    for (const [field, text] of Object.entries(typed))
      await userEvent.type(screen.getByTestId(field), text);
    await join();
    await userEvent.click(screen.getByTestId("switch-role"));
    expect(screen.getByRole("dialog", { name: "Go off stage" })).toBeVisible();
    expect(await faults()).toEqual([]);
    await userEvent.type(screen.getByLabelText("PrivateMapKey"), " eJwx {Enter}");
    expect(host.calls.at(-1)).toEqual({
      command: "switch_role",
      args: { role: 21, privateMapKey: "eJwx" },
    });
    expect(screen.queryByTestId("role-dialog")).toBeNull();
    await userEvent.click(screen.getByTestId("switch-role"));
    await userEvent.click(screen.getByTestId("role-go"));
    expect(host.calls.at(-1)).toEqual({ command: "switch_role", args: { role: 20 } });
  });
});
