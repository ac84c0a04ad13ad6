import { describe, expect, it } from "vitest";
import { inWords } from "./words";

describe("a fault in words", () => {
  it("is a sentence that says what to do about a device", () => {
    expect(inWords({ code: 1111, message: "No camera was found on this computer." })).toBe(
      "No camera was found on this computer. Connect one to be seen, or go on without.",
    );
    expect(inWords({ code: -1302, message: 'there is no microphone called "x"' })).toBe(
      'There is no microphone called "x". Check that it is connected, then unmute.',
    );
  });

  it("stays as it is where the backend says all of it", () => {
    const message = "The room is full; wait until somebody leaves.";
    expect(inWords({ code: -102052, message })).toBe(message);
    const camera = "The camera is in use by another program; close that one and try again.";
    expect(inWords({ code: -1316, message: camera })).toBe(camera);
  });
});
