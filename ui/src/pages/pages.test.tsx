import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../App";
import { StoreContext } from "../components/store";
import { fakeHost, type FakeHost, type FakeOptions } from "../host/fake";
import { Store } from "../state/store";

function show(options: FakeOptions = {}): FakeHost {
  const host = fakeHost(options);
  const store = new Store(host, { now: () => Date.now(), storage: localStorage });
  render(
    <StoreContext value={store}>
      <App />
    </StoreContext>,
  );
  return host;
}

/** What axe finds wrong; colours need real pixels and are looked at in a browser. */
async function faults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false } },
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

async function join(): Promise<void> {
  await userEvent.type(screen.getByLabelText("Your name"), "Ada");
  await userEvent.type(screen.getByLabelText("Room"), "123{Enter}");
  await screen.findByTestId("meeting-page");
}

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
    show();
    await userEvent.click(screen.getByTestId("where-server"));
    await userEvent.click(screen.getByTestId("server"));
    await userEvent.paste("Server: 10.0.0.9:7880\nRoom: tea\nRoom kind: text\nScene: live");
    expect(screen.getByTestId("server")).toHaveValue("10.0.0.9:7880");
    expect(screen.getByTestId("room")).toHaveValue("tea");
    expect(screen.getByTestId("scene-live")).toBeChecked();
  });

  it("says what is wrong with the camera where the picture would be", async () => {
    show({ noCamera: true });
    await userEvent.click(screen.getByTestId("name"));
    expect(await screen.findByTestId("preview-fault")).toHaveTextContent("No camera was found.");
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

  it("tells somebody who waits alone where the others find the room", async () => {
    show({ people: 0 });
    await join();
    const card = within(screen.getByTestId("invite-card"));
    expect(card.getByTestId("invite-card-address")).toHaveTextContent("127.0.0.1:7880");
    expect(card.getByTestId("invite-card-room")).toHaveTextContent("123");
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
