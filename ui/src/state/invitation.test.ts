import { describe, expect, it } from "vitest";
import type { RawEnterParams } from "../types/RawEnterParams";
import type { RoomView } from "../types/RoomView";
import { invitedTo, invitingWords, isIn, mayInvite } from "./invitation";
import { checkForm, EMPTY_FORM } from "./join";

const params: RawEnterParams = {
  server: `192.168.1.20:7880#${"q".repeat(43)}`,
  strRoomId: "tea: at four, please",
  scene: 3,
};

describe("an invitation", () => {
  it("fills the form and takes away what another one left there", () => {
    const { change, words } = invitedTo(params);
    expect(change).toEqual({
      where: "server",
      server: params.server,
      roomKind: "text",
      roomText: "tea: at four, please",
      scene: 3,
      sdkAppId: "",
      userId: "",
      userSig: "",
      privateMapKey: "",
      passcode: "",
      ticket: "",
    });
    expect(words).toBe("the room “tea: at four, please” at 192.168.1.20:7880");
    expect(checkForm({ ...EMPTY_FORM, name: "Bo", ...change })).toEqual({});
  });

  it("keeps a numeric room apart from a text of the same digits", () => {
    const { change, words } = invitedTo({ server: "h", roomId: 123 });
    expect(change).toMatchObject({ roomKind: "number", roomNumber: "123", scene: 0 });
    expect(words).toBe("room 123 at h");
  });

  it("carries what lets somebody in", () => {
    const secrets = { passcode: "open", ticket: "t", userId: "bo", userSig: "s", sdkAppId: 7 };
    const { change } = invitedTo({ server: "h", roomId: 1, ...secrets });
    expect(change).toMatchObject({ ...secrets, sdkAppId: "7" });
  });

  it.each([
    "confab://join?room=1",
    "Look:\nCONFAB://join?x",
    "https://10.0.0.1:7880/join?room=1",
    "https://h/join/#room=1",
    "Hi,\n\nServer: 10.0.0.9\nRoom: 1",
  ])("may stand in: %s", (text) => {
    expect(mayInvite(text)).toBe(true);
  });

  it.each(["192.168.1.20:7880", "http://host:7880", "https://meet.example/joint", "My Server: x"])(
    "is not looked for in: %s",
    (text) => {
      expect(mayInvite(text)).toBe(false);
    },
  );

  it("knows the room that one is in", () => {
    const room: RoomView = {
      server: "192.168.1.20:7880",
      sdkAppId: 1,
      roomId: null,
      strRoomId: "tea: at four, please",
      scene: 3,
      role: 20,
      userId: "me",
      name: "Ada",
      enteredAt: 1,
    };
    const invited = invitedTo(params);
    expect(isIn(invited, room)).toBe(true);
    expect(isIn(invited, { ...room, server: "10.0.0.1:7880" })).toBe(false);
    expect(isIn(invited, { ...room, strRoomId: null, roomId: 5 })).toBe(false);
    expect(isIn(invitedTo({ server: "h", roomId: 123 }), { ...room, strRoomId: "123" })).toBe(
      false,
    );
    expect(isIn(invited, null)).toBe(false);
  });

  it("says who comes in by it, and whether a passcode is in it", () => {
    expect(invitingWords(false, false)).toMatch(/A passcode is not in them\.$/);
    expect(invitingWords(false, true)).toMatch(/The passcode is in them\.$/);
    expect(invitingWords(true, true)).toMatch(/once\.$/);
  });
});
