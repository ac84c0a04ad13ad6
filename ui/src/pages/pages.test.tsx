import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { HostFault } from "../host/host";
import { faults, join, layOut, show } from "./testing";

// An engine that gives the clipboard to nobody.
vi.mock("../components/clipboard", () => ({ copyText: () => Promise.resolve(false) }));

beforeEach(layOut);

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

  it("leaves the list of people open under a dialog that an Escape closes", async () => {
    show({ people: 2 });
    await join();
    await userEvent.click(screen.getByTestId("toggle-participants"));
    await userEvent.click(screen.getByTestId("devices"));
    await userEvent.keyboard("{Escape}");
    expect(screen.getByTestId("participants-panel")).toBeVisible();
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

  it("to make an invitation is said with its reason", async () => {
    const host = show({ people: 0 });
    await join();
    const call = host.call.bind(host);
    const fault = new HostFault({ code: -3, message: "This computer is in no network." });
    vi.spyOn(host, "call").mockImplementation((request) =>
      request.command === "make_invitation" ? Promise.reject(fault) : call(request),
    );
    await userEvent.click(screen.getByTestId("invite-card-copy"));
    expect(await screen.findByTestId("toast")).toHaveTextContent("This computer is in no network.");
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
