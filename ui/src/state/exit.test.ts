import { describe, expect, it } from "vitest";
import type { ExitView } from "../types/ExitView";
import { noticeOf } from "./exit";

const exit = (
  reason: ExitView["reason"],
  cause: ExitView["cause"],
  by: string | null = null,
): ExitView => ({
  reason,
  cause,
  by,
  message: "",
});

describe("the exit notice", () => {
  it.each([
    [exit(0, "left"), "You left"],
    [exit(1, "removed"), "You were removed from the room"],
    [exit(2, "dismissed"), "The room was dismissed"],
    [exit(1, "entered_elsewhere"), "You joined from somewhere else"],
    [exit(2, "host_stopped"), "The host ended the meeting"],
    [exit(2, "server_stopped"), "The server was stopped"],
    [exit(2, "room_closed"), "The room was closed"],
    [exit(1, "connection_lost"), "The connection was lost"],
  ])("says what happened for %j", (event, title) => {
    expect(noticeOf(event, "123", false).title).toBe(title);
  });

  it("names the person where there is one", () => {
    expect(noticeOf(exit(1, "removed", "Ada"), "123", false).what).toBe(
      "Ada removed you from room 123.",
    );
    expect(noticeOf(exit(1, "removed"), "123", false).what).not.toContain("null");
  });

  it("falls back on the reason when the cause is unknown to it", () => {
    expect(noticeOf(exit(1, "unknown"), "x", false).kind).toBe("removed");
    expect(noticeOf(exit(2, "unknown"), "x", false).kind).toBe("dismissed");
  });

  it("speaks to the host as the one who ended it", () => {
    expect(noticeOf(exit(2, "host_stopped"), "x", true).title).toBe("You ended the meeting");
  });
});
