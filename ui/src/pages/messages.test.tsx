import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import type { FakeHost } from "../host/fake";
import { dataOf } from "../state/messages";
import { faults, join, layOut, show } from "./testing";

beforeEach(layOut);

/** A meeting with one other in which the panel of messages is open. */
async function meet(): Promise<FakeHost> {
  const host = show({ people: 1 });
  await join();
  await userEvent.click(screen.getByRole("button", { name: "Custom messages" }));
  return host;
}

const sent = (host: FakeHost) =>
  host.calls.flatMap((call) => (call.command === "send_custom_cmd_msg" ? [call.args] : []));

describe("messages of the app's own", () => {
  it("are sent by keys alone, reliably and in order or neither", async () => {
    const host = await meet();
    expect(screen.getByRole("heading", { name: "Custom messages" })).toHaveFocus();
    expect(await faults()).toEqual([]);
    const id = screen.getByRole("textbox", { name: "Message id" });
    await userEvent.clear(id);
    await userEvent.keyboard("7{Tab}hello{Enter}");
    expect(sent(host)).toEqual([{ cmdId: 7, data: "aGVsbG8=", reliable: true, ordered: true }]);
    expect(screen.getByTestId("messages-sent")).toHaveTextContent("1 sent");
    const text = screen.getByRole("textbox", { name: "Text" });
    expect(text).toHaveValue("");
    expect(text).toHaveFocus();
    await userEvent.click(screen.getByRole("checkbox", { name: "Reliable and in order" }));
    await userEvent.click(screen.getByRole("button", { name: "Send to everybody" }));
    expect(sent(host)[1]).toEqual({ cmdId: 7, data: "", reliable: false, ordered: false });
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByTestId("messages-panel")).toBeNull();
    expect(screen.getByTestId("toggle-messages")).toHaveFocus();
  });

  it("are not sent under an id that there is not", async () => {
    const host = await meet();
    await userEvent.type(screen.getByTestId("message-id"), "1{Enter}");
    const id = screen.getByTestId("message-id");
    expect(id).toHaveAccessibleDescription("A message has an id from 1 to 10.");
    expect(id).toHaveFocus();
    expect(sent(host)).toEqual([]);
    await userEvent.clear(id);
    expect(id).toBeValid();
  });

  it("stay in the field with the reason where they were refused", async () => {
    await meet();
    await userEvent.click(screen.getByTestId("message-text"));
    await userEvent.paste("é".repeat(501));
    await userEvent.keyboard("{Enter}");
    expect(screen.getByTestId("toast")).toHaveTextContent("At most 1000 bytes are allowed.");
    expect(screen.getByTestId("message-text")).toHaveValue("é".repeat(501));
    expect(screen.getByTestId("messages-sent")).toBeEmptyDOMElement();
  });

  it("of the others are listed with who and what, and what was missed", async () => {
    const host = await meet();
    const log = within(screen.getByRole("log", { name: "Messages of the others" }));
    expect(log.getByText("Nothing has come yet.")).toBeVisible();
    act(() => {
      const data = { userId: "user-1", cmdId: 3, seq: 1, data: dataOf("<b>hi</b>") };
      host.emit({ event: "onRecvCustomCmdMsg", data });
      host.emit({ event: "onRecvCustomCmdMsg", data: { ...data, seq: 4, data: "/w==" } });
      const missed = { userId: "user-1", cmdId: 3, code: -1, missed: 2 };
      host.emit({ event: "onMissCustomCmdMsg", data: missed });
    });
    expect(log.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual([
      "2 messages of Grace Hopper with id 3 never came.",
      "Grace Hopperid 3 · no. 4No text, in base64:/w==",
      "Grace Hopperid 3 · no. 1<b>hi</b>",
    ]);
    expect(await faults()).toEqual([]);
    // They are kept while the panel is closed.
    await userEvent.click(screen.getByTestId("messages-close"));
    await userEvent.click(screen.getByTestId("toggle-messages"));
    expect(screen.getAllByText("Grace Hopper", { selector: "p *" })).toHaveLength(2);
  });

  it("are refused to the audience in the app's own words", async () => {
    show({ people: 1 });
    await userEvent.click(screen.getByTestId("scene-live"));
    await userEvent.click(screen.getByTestId("role-audience"));
    await join();
    await userEvent.click(screen.getByTestId("toggle-messages"));
    await userEvent.type(screen.getByTestId("message-text"), "hello{Enter}");
    expect(screen.getByTestId("toast")).toHaveTextContent("Only anchors can send messages.");
  });
});
