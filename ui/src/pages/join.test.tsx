import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { faults, join, layOut, show } from "./testing";

beforeEach(layOut);

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

  it("opens rooms with a passcode, in which people wait", async () => {
    const host = show();
    await userEvent.type(screen.getByLabelText("Passcode for guests"), "open sesame");
    await userEvent.click(screen.getByLabelText("Those who come wait until I let them in"));
    expect(await faults()).toEqual([]);
    await join();
    expect(host.calls).toContainEqual({
      command: "host_room",
      args: { lan: false, passcode: "open sesame", waitingRoom: true },
    });
    expect(localStorage.getItem("confab.join")).not.toContain("sesame");
  });

  it("lets nobody be heard or seen until they are chosen", async () => {
    const host = show({ people: 2 });
    expect(screen.queryByTestId("receive-note")).toBeNull();
    await userEvent.click(screen.getByTestId("advanced"));
    const group = screen.getByRole("group", { name: "What you receive" });
    for (const name of ["Hear the others from the start", "See the others from the start"]) {
      const choice = within(group).getByRole("checkbox", { name });
      expect(choice).toBeChecked();
      await userEvent.click(choice);
    }
    expect(screen.getByTestId("receive-note")).toHaveTextContent("You hear and see nobody until");
    expect(await faults()).toEqual([]);
    await join();
    expect(host.calls).toContainEqual({
      command: "set_default_stream_recv_mode",
      args: { audio: false, video: false },
    });
    expect(screen.getByTestId("tile-user-1")).toHaveTextContent("GH");
    await userEvent.click(screen.getByTestId("toggle-participants"));
    await userEvent.click(screen.getByTestId("menu-user-1"));
    await userEvent.click(screen.getByRole("button", { name: "Hear again" }));
    await userEvent.click(screen.getByTestId("menu-user-1"));
    await userEvent.click(screen.getByRole("button", { name: "Show picture" }));
    expect(screen.getByTestId("tile-user-1")).not.toHaveTextContent("GH");
    expect(host.state().participants.map(({ audioMuted }) => audioMuted)).toEqual([false, true]);
  });

  it("opens rooms on the port that was typed", async () => {
    const host = show();
    await userEvent.click(screen.getByTestId("advanced"));
    await userEvent.type(screen.getByRole("textbox", { name: "Port" }), "70000");
    await userEvent.type(screen.getByLabelText("Your name"), "Ada");
    await userEvent.type(screen.getByLabelText("Room"), "123{Enter}");
    const port = screen.getByTestId("host-port");
    expect(port).toHaveFocus();
    expect(port).toHaveAccessibleDescription("A port is a number from 1 to 65535.");
    expect(await faults()).toEqual([]);
    await userEvent.clear(port);
    await userEvent.type(port, "8443{Enter}");
    await screen.findByTestId("meeting-page");
    expect(host.calls).toContainEqual({
      command: "host_room",
      args: { port: 8443, lan: false, passcode: "", waitingRoom: false },
    });
    await userEvent.click(screen.getByTestId("leave"));
    await userEvent.click(screen.getByTestId("end-leave"));
    await userEvent.click(await screen.findByTestId("exit-back"));
    expect(screen.getByTestId("hosting-address")).toHaveTextContent("127.0.0.1:8443");
    expect(screen.queryByTestId("host-port")).toBeNull();
  });

  it("changes who comes in while rooms are open", async () => {
    const host = show();
    await join();
    await userEvent.click(screen.getByTestId("leave"));
    await userEvent.click(screen.getByTestId("end-leave"));
    await userEvent.click(await screen.findByTestId("exit-back"));
    expect(screen.getByTestId("door-passcode-set")).toBeDisabled();
    await userEvent.type(screen.getByTestId("door-passcode"), "tea{Enter}");
    expect(host.state().hosting).toMatchObject({ passcode: true, waitingRoom: false });
    expect(screen.getByTestId("join-page")).toBeVisible();
    expect(screen.getByTestId("door-passcode")).toHaveValue("");
    await userEvent.click(screen.getByTestId("door-waiting"));
    expect(host.state().hosting).toMatchObject({ passcode: true, waitingRoom: true });
    expect(await faults()).toEqual([]);
    await userEvent.click(screen.getByTestId("door-passcode-off"));
    expect(host.state().hosting?.passcode).toBe(false);
    await userEvent.click(screen.getByTestId("door-passcode"));
    await userEvent.paste("x".repeat(257));
    expect(screen.getByTestId("door-passcode-error")).toHaveTextContent("at most 256 characters");
    expect(screen.getByTestId("door-passcode-set")).toBeDisabled();
  });

  it("takes a permission, and says beside it why it was refused", async () => {
    const host = show({ refuse: { code: -100006, message: "The permission is for room 5." } });
    await userEvent.click(screen.getByTestId("where-server"));
    await userEvent.type(screen.getByTestId("server"), "10.0.0.9");
    await userEvent.click(screen.getByTestId("advanced"));
    expect(screen.getByTestId("private-map-key")).toHaveAttribute("type", "password");
    await userEvent.type(screen.getByTestId("private-map-key"), "eJw");
    await userEvent.type(screen.getByTestId("name"), "Ada");
    await userEvent.type(screen.getByTestId("room"), "1{Enter}");
    const error = await screen.findByTestId("private-map-key-error");
    expect(error).toHaveTextContent("The permission is for room 5.");
    expect(screen.getByTestId("private-map-key")).toHaveFocus();
    const entry = host.calls.find(({ command }) => command === "enter_room");
    expect(entry?.args).toMatchObject({ privateMapKey: "eJw" });
  });
});
