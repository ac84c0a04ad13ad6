import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeHost } from "../host/fake";
import type { HostAction } from "../types/HostAction";
import type { RoomState } from "../types/RoomState";
import { faults, join, show } from "./testing";

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1280);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(720);
});

/** A meeting with two others whose room stands so; the list of people is open. */
async function meet(change: Partial<RoomState> = {}): Promise<FakeHost> {
  const host = show({ people: 2 });
  await join();
  const me = host.state().room?.userId ?? "";
  const stands: RoomState = {
    owner: me,
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
    host.change({ roomState: stands });
  });
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
  it("sees who is, and nothing to do about others", async () => {
    const host = await meet({ owner: "somebody", coHosts: [] });
    const userId = firstOther(host);
    act(() => {
      host.change({ roomState: { ...host.state().roomState, owner: userId } as RoomState });
    });
    expect(screen.getByTestId(`participant-${userId}`)).toHaveTextContent("Host");
    expect(screen.queryByTestId("host-tools")).toBeNull();
    expect(screen.queryByTestId(`menu-${userId}`)).toBeNull();
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
  });
});
