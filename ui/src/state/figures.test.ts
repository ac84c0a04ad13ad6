import { describe, expect, it } from "vitest";
import { sectionsOf, type Section } from "./figures";
import { localFigures, remoteFigures, statistics } from "./figures.samples";

/** Sections as lines, with plain spaces. */
function lines(sections: readonly Section[]): string[] {
  return sections.flatMap(({ title, rows }) => [
    `# ${title}`,
    ...rows.map(({ label, value }) => `${label}: ${value}`.replaceAll("\u00a0", " ")),
  ]);
}

const name = (userId: string) => userId.toUpperCase();

describe("the figures", () => {
  it("are words with units, section by section", () => {
    const figures = statistics({
      upLoss: 2,
      localStatisticsArray: [localFigures({})],
      remoteStatisticsArray: [
        remoteFigures({ videoPacketLoss: 3, audioTotalBlockTime: 1_240, audioBlockRate: 4 }),
      ],
    });
    expect(lines(sectionsOf(figures, name))).toEqual([
      "# Your connection",
      "To the server and back: 23 ms",
      "Lost on the way to the server: 2 %",
      "Lost on the way from the server: 0 %",
      "Sent since you joined: 1.3 MB",
      "Received since you joined: 9.9 MB",
      "# You send",
      "Picture: 1280 × 720 pixels",
      "Pictures a second: 30",
      "Picture data: 1.2 Mbit/s",
      "Sound: 48 kHz",
      "Sound data: 32 kbit/s",
      "# BO",
      "Picture: 640 × 360 pixels",
      "Pictures a second: 15",
      "Picture data: 480 kbit/s",
      "Sound: 48 kHz",
      "Sound data: 32 kbit/s",
      "Picture lost on the way: 3 %",
      "Sound lost on the way: 0 %",
      "Sound waits to be played: 60 ms",
      "Gaps in the sound: 1.2 s (4 %)",
      "# This computer",
      "Processor used by Confab: 14 %",
      "Processor used by everything: 41 %",
      "Memory used by Confab: 310 MB",
      "Memory used by everything: 6.2 GB of 16 GB",
    ]);
  });

  it("leave out what is not measured, and whole streams that carry nothing", () => {
    const silent = { width: 0, height: 0, videoBitrate: 0, audioSampleRate: 0 };
    const figures = statistics({
      rtt: 0,
      localStatisticsArray: [localFigures({ ...silent, audioSampleRate: 48_000 })],
      remoteStatisticsArray: [remoteFigures(silent)],
    });
    const found = lines(sectionsOf(figures, name));
    expect(found).toContain("To the server and back: Not known yet");
    expect(found).not.toContain("# BO");
    expect(found.filter((line) => line.startsWith("Picture"))).toEqual([]);
  });

  it("name the screen that somebody shares", () => {
    const remoteStatisticsArray = [remoteFigures({ streamType: 2 })];
    expect(lines(sectionsOf(statistics({ remoteStatisticsArray }), name))).toContain(
      "# BO, screen",
    );
  });

  it("take the unit that reads best", () => {
    const sent = (sentBytes: number) =>
      lines(sectionsOf(statistics({ sentBytes }), name)).find((line) => line.startsWith("Sent"));
    expect([0, 999_400, 25_600_000, 3_210_000_000].map(sent)).toEqual([
      "Sent since you joined: 0 kB",
      "Sent since you joined: 999 kB",
      "Sent since you joined: 26 MB",
      "Sent since you joined: 3.2 GB",
    ]);
  });
});
