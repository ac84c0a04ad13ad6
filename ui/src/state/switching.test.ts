import { describe, expect, it } from "vitest";
import type { AppState } from "../types/AppState";
import type { RoomView } from "../types/RoomView";
import { IDLE } from "./state";
import { checkSwitch, otherRoom, switchWords } from "./switching";

function room(change: Partial<RoomView>): RoomView {
  return {
    server: "http://x",
    sdkAppId: 1,
    roomId: null,
    strRoomId: null,
    scene: 0,
    role: 20,
    userId: "me",
    name: "Ada",
    enteredAt: 1,
    ...change,
  };
}

const NUMBERED: AppState = { ...IDLE, phase: "in", room: room({ roomId: 5 }) };
const NAMED: AppState = { ...IDLE, phase: "in", room: room({ strRoomId: "tea" }) };
const typed = (text: string) => ({ room: text, privateMapKey: "" });

describe("another room", () => {
  it("is called as this one is: by number, or by name", () => {
    expect(checkSwitch(NUMBERED, typed("6"))).toBeNull();
    expect(otherRoom(NUMBERED, typed(" 6 "))).toEqual({ roomId: 6 });
    expect(checkSwitch(NUMBERED, typed("six"))).toMatch(/digits only/);
    expect(checkSwitch(NAMED, typed("6"))).toBeNull();
    expect(otherRoom(NAMED, typed("6"))).toEqual({ strRoomId: "6" });
    expect(checkSwitch(NAMED, typed("a/b"))).toMatch(/cannot contain “\/”/);
  });

  it("is not this one, and not nothing", () => {
    expect(checkSwitch(NUMBERED, typed("05"))).toBe("You are in this room already.");
    expect(checkSwitch(NAMED, typed("tea"))).toBe("You are in this room already.");
    expect(checkSwitch(NAMED, typed("Tea"))).toBeNull();
    expect(checkSwitch(NUMBERED, typed(""))).toMatch(/Enter a room number/);
  });

  it("may ask for a permission", () => {
    const form = { room: "6", privateMapKey: " eJw " };
    expect(otherRoom(NUMBERED, form)).toEqual({ roomId: 6, privateMapKey: "eJw" });
  });

  it("is waited for in words", () => {
    const on = (app: AppState, waiting: boolean) =>
      switchWords({ ...app, switching: { room: app.room ?? room({}), waiting } });
    expect(switchWords(NUMBERED)).toBeNull();
    expect(on(NUMBERED, false)).toBe("Going to room 5…");
    expect(on(NAMED, true)).toBe("Waiting for the host of the room “tea” to let you in…");
  });
});
