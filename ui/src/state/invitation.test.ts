import { describe, expect, it } from "vitest";
import { readInvitation, writeInvitation, type Invitation } from "./invitation";
import { checkForm, EMPTY_FORM } from "./join";

const invitation: Invitation = {
  addresses: ["192.168.1.20:7880"],
  room: { kind: "text", id: "tea: at four, please" },
  scene: 3,
};

describe("an invitation", () => {
  it("fills the form of the person who pastes it", () => {
    const form = readInvitation(writeInvitation(invitation));
    expect(form).toEqual({
      where: "server",
      server: "192.168.1.20:7880",
      roomKind: "text",
      roomText: "tea: at four, please",
      scene: 3,
      sdkAppId: "",
      userId: "",
      userSig: "",
    });
    expect(checkForm({ ...EMPTY_FORM, name: "Bo", ...form })).toEqual({});
  });

  it("keeps a numeric room apart from a text of the same digits", () => {
    const text = writeInvitation({ ...invitation, room: { kind: "number", id: "123" } });
    expect(readInvitation(text)).toMatchObject({ roomKind: "number", roomNumber: "123" });
  });

  it("works after a mail program has changed the line ends", () => {
    const text = writeInvitation(invitation).replaceAll("\n", "\r\n");
    expect(readInvitation(text)).toMatchObject({ scene: 3, roomText: "tea: at four, please" });
  });

  it("may carry a signature that an operator adds by hand", () => {
    const lines = ["SDKAppID: 1400000001", "User ID: bo", "UserSig: eJx-_sig*"];
    const text = [writeInvitation(invitation), ...lines].join("\n");
    expect(readInvitation(text)).toMatchObject({
      sdkAppId: "1400000001",
      userId: "bo",
      userSig: "eJx-_sig*",
    });
  });

  it("is not found in a plain address", () => {
    expect(readInvitation("192.168.1.20:7880")).toBeNull();
    expect(readInvitation("http://host:7880")).toBeNull();
  });
});
