import { describe, expect, it } from "vitest";
import type { DeviceView } from "../types/DeviceView";
import { optionsOf } from "./devices";

const devices: DeviceView[] = [
  { kind: 0, deviceId: "mic-1", name: "Built-in", isDefault: true },
  { kind: 0, deviceId: "mic-2", name: "Headset", isDefault: false },
  { kind: 2, deviceId: "cam-1", name: "Webcam", isDefault: false },
];

describe("what can be chosen", () => {
  it("begins with the system's own choice, which says what it is", () => {
    expect(optionsOf("microphone", devices, null)).toEqual([
      { value: "", words: "System default (Built-in)" },
      { value: "mic-1", words: "Built-in" },
      { value: "mic-2", words: "Headset" },
    ]);
    expect(optionsOf("speaker", devices, null)).toEqual([{ value: "", words: "System default" }]);
  });

  it("keeps what is chosen although it was unplugged, and names what is no device", () => {
    const last = (chosen: string) => optionsOf("camera", devices, chosen).at(-1)?.words;
    expect(last("cam-9")).toBe("cam-9 (not connected)");
    expect(last("v4l2:/dev/video9")).toBe("/dev/video9 (not connected)");
    expect(last("cam-1")).toBe("Webcam");
    expect(last("test")).toBe("Test picture");
    expect(last("file:/a/b.y4m")).toBe("File /a/b.y4m");
  });
});
