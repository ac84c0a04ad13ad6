import { describe, expect, it } from "vitest";
import {
  checkForm,
  checkRoomNumber,
  checkRoomText,
  checkServer,
  checkSdkAppId,
  checkUserId,
  EMPTY_FORM,
  fieldOfFault,
  firstWrong,
  identityOf,
  needsAdvanced,
  proofWords,
  roleOf,
  roomOf,
  type JoinForm,
} from "./join";
import { ANCHOR, AUDIENCE } from "./terms";

const good: JoinForm = { ...EMPTY_FORM, name: "Ada", roomNumber: "123" };

describe("a room number", () => {
  it("is accepted at both ends of its range", () => {
    expect(checkRoomNumber("1")).toBeNull();
    expect(checkRoomNumber("4294967294")).toBeNull();
  });

  it.each(["0", "4294967295", "99999999999999999999"])("%s is outside the range", (text) => {
    expect(checkRoomNumber(text)).toBe(
      `A room number is from 1 to 4294967294; ${text} is outside.`,
    );
  });

  it("names the character that is no digit", () => {
    expect(checkRoomNumber("12a")).toContain("“a”");
    expect(checkRoomNumber("-1")).toContain("“-”");
    expect(checkRoomNumber("1.5")).toContain("“.”");
  });
});

describe("a room's name", () => {
  it("takes each of the 89 characters", () => {
    const all =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&()+-:;<=.>?@[]^_{}|~,";
    expect(all).toHaveLength(89);
    expect(checkRoomText(all.slice(0, 64))).toBeNull();
    expect(checkRoomText(all.slice(25))).toBeNull();
  });

  it.each(["/", "\\", '"', "'", "*", "`", "é", "会", "👋"])("refuses and names %s", (odd) => {
    expect(checkRoomText(`team${odd}`)).toContain(`“${odd}”`);
  });

  it("counts 64 as right and 65 as too long", () => {
    expect(checkRoomText("x".repeat(64))).toBeNull();
    expect(checkRoomText("x".repeat(65))).toBe(
      "A room’s name has at most 64 characters; this one has 65.",
    );
  });

  it("is another room than the number with the same digits", () => {
    expect(roomOf(good)).toEqual({ roomId: 123 });
    expect(roomOf({ ...good, roomKind: "text", roomText: "123" })).toEqual({ strRoomId: "123" });
  });
});

describe("a user ID", () => {
  it("may be empty, and has at most 32 characters", () => {
    expect(checkUserId("", "")).toBeNull();
    expect(checkUserId("a".repeat(32), "")).toBeNull();
    expect(checkUserId("a".repeat(33), "")).toContain("33");
  });

  it("names the accented letter", () => {
    expect(checkUserId("renée", "")).toContain("“é”");
  });

  it("is asked for where a UserSig was typed, which is made for one person", () => {
    expect(checkUserId("", "eJw")).toBe("Enter the user ID that the UserSig was made for.");
    const form: JoinForm = { ...good, userSig: "eJw" };
    expect(checkForm({ ...form, where: "host" })).not.toHaveProperty("userId");
    expect(checkForm({ ...form, where: "server" })).toHaveProperty("userId");
  });
});

describe("a User ID without what proves it", () => {
  const joining: JoinForm = { ...good, where: "server", userId: "ada" };

  it("is told what it needs, at the first field that is empty", () => {
    expect(fieldOfFault(-3317, null, joining)).toBe("sdkAppId");
    expect(proofWords(-3317, joining)).toBe(
      "A User ID of your own needs an SDKAppID and a UserSig from whoever runs the server. Leave all three empty to come as a guest.",
    );
    const named = { ...joining, sdkAppId: "7" };
    expect(fieldOfFault(-3320, null, named)).toBe("userSig");
    expect(proofWords(-3320, named)).toBe(
      "A User ID of your own needs a UserSig from whoever runs the server. Leave both empty to come as a guest.",
    );
  });

  it("is refused by nobody but the backend, which may have a key", () => {
    expect(checkForm({ ...joining, server: "10.0.0.1" })).toEqual({});
  });

  it("has nothing to do with other refusals", () => {
    expect(proofWords(-100018, joining)).toBeNull();
    expect(proofWords(-3320, { ...joining, userId: "" })).toBeNull();
    expect(proofWords(-3317, { ...joining, userSig: "eJw" })).toBeNull();
    expect(proofWords(-3317, { ...joining, where: "host" })).toBeNull();
  });
});

describe("a server's address", () => {
  it.each([
    "192.168.1.20",
    " localhost:7880 ",
    "http://meet.example.com/",
    "wss://meet.example.com",
    `192.168.1.20:7880#${"q".repeat(43)}`,
  ])("is %s", (text) => {
    expect(checkServer(text)).toBeNull();
  });

  it.each(["two words", "ftp://x", "http://", "http://a:99999", "http://me@host", "host#q"])(
    "is not %s",
    (text) => {
      expect(checkServer(text)).toContain("not a server’s address");
    },
  );
});

describe("the form", () => {
  it("is right with a name and a room number", () => {
    expect(checkForm(good)).toEqual({});
  });

  it("asks for a name and a room first", () => {
    const errors = checkForm(EMPTY_FORM);
    expect(Object.keys(errors)).toEqual(["name", "room"]);
    expect(firstWrong(errors)).toBe("name");
  });

  it("asks for an address only when a server is joined", () => {
    expect(checkForm({ ...good, where: "server" })).toHaveProperty("server");
    expect(checkForm({ ...good, where: "host", sdkAppId: "nonsense" })).toEqual({});
  });

  it("has a passcode that is not too long, where rooms are opened with it", () => {
    const long = { ...good, where: "host" as const, hostPasscode: "ß".repeat(257) };
    expect(checkForm(long).hostPasscode).toBe(
      "A passcode has at most 256 characters; this one has 257.",
    );
    expect(checkForm({ ...long, hostPasscode: "ß".repeat(256) })).toEqual({});
    expect(checkForm(long, true)).toEqual({});
    expect(checkForm({ ...long, where: "server", server: "10.0.0.1" })).toEqual({});
  });

  it("has a port that there is, where rooms are opened on one", () => {
    const at = (hostPort: string) => checkForm({ ...good, where: "host", hostPort }).hostPort;
    for (const port of ["", " 443 ", "1", "65535"]) expect(at(port)).toBeUndefined();
    for (const wrong of ["0", "65536", "-1", "7880a", "1e3"]) {
      expect(at(wrong)).toBe("A port is a number from 1 to 65535.");
    }
    const wrong = { ...good, hostPort: "none" };
    expect(checkForm({ ...wrong, where: "host" }, true)).toEqual({});
    expect(checkForm({ ...wrong, where: "server", server: "10.0.0.1" })).toEqual({});
    expect(needsAdvanced({ hostPort: "wrong" })).toBe(true);
  });

  it("shows a permission only to a server, and the refusal of one beside it", () => {
    const form = { ...good, where: "server" as const, privateMapKey: " eJw " };
    expect(identityOf(form)).toMatchObject({ privateMapKey: "eJw" });
    expect(identityOf({ ...form, privateMapKey: " " })).not.toHaveProperty("privateMapKey");
    expect(identityOf({ ...form, where: "host" })).not.toHaveProperty("privateMapKey");
    expect(fieldOfFault(-100006, null, form)).toBe("privateMapKey");
    expect(fieldOfFault(-100006, null, { ...form, where: "host" })).toBeNull();
    expect(needsAdvanced({ privateMapKey: "wrong" })).toBe(true);
  });

  it("opens the advanced part only for what it hides", () => {
    expect(needsAdvanced({ name: "x" })).toBe(false);
    expect(needsAdvanced({ userSig: "x" })).toBe(true);
  });

  it("refuses an SDKAppID of 0", () => {
    expect(checkSdkAppId("0", "")).not.toBeNull();
    expect(checkSdkAppId("1400000001", "")).toBeNull();
    expect(checkSdkAppId("4294967296", "")).not.toBeNull();
  });

  it("asks which application a UserSig belongs to", () => {
    expect(checkSdkAppId("", "")).toBeNull();
    expect(checkSdkAppId("", "eJw")).toContain("SDKAppID that the UserSig was made for");
  });

  it("sends the role only in live scenes", () => {
    expect(roleOf({ ...good, scene: 0, role: AUDIENCE })).toBe(ANCHOR);
    expect(roleOf({ ...good, scene: 1, role: AUDIENCE })).toBe(AUDIENCE);
  });

  it("puts a refusal beside the field that can mend it", () => {
    const joining: JoinForm = { ...good, where: "server" };
    expect(fieldOfFault(-3318, null, joining)).toBe("room");
    expect(fieldOfFault(-100018, -70001, joining)).toBe("userSig");
    expect(fieldOfFault(-100018, -70014, joining)).toBe("sdkAppId");
    expect(fieldOfFault(-3307, null, joining)).toBe("server");
    expect(fieldOfFault(-100011, null, joining)).toBeNull();
    expect(fieldOfFault(-100018, -70001, good)).toBeNull();
  });
});
