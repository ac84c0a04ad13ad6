import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Scene } from "../../types/Scene";
import type { Tile } from "../../types/Tile";
import { Player } from "./player";
import type { Screen } from "./screen";

/** An answer with this number in which these people have no picture. */
function answer(number: number, ...ids: string[]): ArrayBuffer {
  const tiles = ids.map((id) => [id.length, 0, 0, id] as const);
  const words = [number, ids.length, ...tiles.flat()];
  return Uint8Array.from(
    words.flatMap((word) =>
      typeof word === "number" ? [word, 0, 0, 0] : [...new TextEncoder().encode(word)],
    ),
  ).buffer;
}

function scene(...ids: string[]): Scene {
  const tiles = ids.map((id): Tile => {
    const rect = { x: 0, y: 0, w: 10, h: 10 };
    return { id, rect, fit: "fill", mirror: false, radius: 0, speaking: false };
  });
  const black: [number, number, number, number] = [0, 0, 0, 255];
  return { size: [100, 100], scale: 1, background: black, card: black, accent: black, tiles };
}

describe("the player", () => {
  /** What was pulled and is not answered yet. */
  let pulls: {
    after: number;
    signal: AbortSignal;
    give: (answer: ArrayBuffer | null) => void;
    fail: () => void;
  }[] = [];
  let log: string[] = [];
  let frame: (() => void) | null = null;

  const failing = (is: boolean) => log.push(is ? "failing" : "works");
  const screen: Screen = {
    put: (id) => log.push(`put ${id}`),
    draw: ({ tiles }) => log.push(`draw ${tiles.map(({ id }) => id).join(" ")}`),
    close: () => log.push("close"),
  };
  const frames = (after: number, signal: AbortSignal) =>
    new Promise<ArrayBuffer | null>((give, reject) => {
      pulls.push({
        after,
        signal,
        give,
        fail: () => {
          reject(new Error("gone"));
        },
      });
    });
  const pull = async () => {
    await vi.waitFor(() => {
      expect(pulls).not.toHaveLength(0);
    });
    const [first] = pulls.splice(0, 1);
    if (first === undefined) throw new Error("nothing was pulled");
    return first;
  };
  const nextFrame = async () => {
    await vi.waitFor(() => {
      expect(frame).not.toBeNull();
    });
    const draw = frame;
    frame = null;
    draw?.();
  };

  beforeEach(() => {
    pulls = [];
    log = [];
    frame = null;
    vi.stubGlobal("requestAnimationFrame", (draw: () => void) => {
      frame = draw;
      return 1;
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("pulls again when the last frames are drawn, and not before", async () => {
    const player = new Player(screen, frames, failing);
    player.lay(scene("ada"));
    const first = await pull();
    expect(first.after).toBe(0);
    first.give(answer(5, "ada"));
    await vi.waitFor(() => {
      expect(frame).not.toBeNull();
    });
    expect(pulls).toHaveLength(0);
    await nextFrame();
    expect((await pull()).after).toBe(5);
    expect(log).toEqual(["draw ada", "put ada", "draw ada"]);
    player.close();
  });

  it("asks on where nothing came, and after a pause where nobody answered", async () => {
    const player = new Player(screen, frames, failing);
    player.lay(scene("ada"));
    (await pull()).give(null);
    const second = await pull();
    const failed = Date.now();
    second.fail();
    await pull();
    expect(Date.now() - failed).toBeGreaterThan(400);
    player.close();
  });

  it("says when nothing can be had several times in a row, and when it can again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const player = new Player(screen, frames, failing);
    player.lay(scene("ada"));
    for (let tries = 1; tries <= 8; tries += 1) {
      (await pull()).fail();
      await vi.advanceTimersByTimeAsync(500);
      expect(log.includes("failing"), `after ${String(tries)}`).toBe(tries >= 6);
    }
    pulls = [];
    player.lay(scene("ada", "bob"));
    (await pull()).give(answer(5));
    await nextFrame();
    expect(log.filter((line) => line === "failing" || line === "works")).toEqual([
      "failing",
      "works",
    ]);
    player.close();
    vi.useRealTimers();
  });

  it("pauses after an answer that makes no sense", async () => {
    const player = new Player(screen, frames, failing);
    player.lay(scene("ada"));
    (await pull()).give(new ArrayBuffer(3));
    await Promise.resolve();
    expect(pulls).toHaveLength(0);
    expect((await pull()).after).toBe(0);
    player.close();
  });

  it("asks for everything when somebody is new", async () => {
    const player = new Player(screen, frames, failing);
    player.lay(scene("ada"));
    (await pull()).give(answer(5));
    await nextFrame();
    const waiting = await pull();
    player.lay(scene("ada"));
    expect(waiting.signal.aborted).toBe(false);
    player.lay(scene("ada", "bob"));
    expect(waiting.signal.aborted).toBe(true);
    expect((await pull()).after).toBe(0);
    player.close();
  });

  it("pulls nothing while there are no tiles, and nothing any more when it is closed", async () => {
    const player = new Player(screen, frames, failing);
    player.lay(scene());
    expect(pulls).toHaveLength(0);
    player.lay(scene("ada"));
    const first = await pull();
    player.lay(scene());
    expect(first.signal.aborted).toBe(true);
    player.lay(scene("ada"));
    const second = await pull();
    player.close();
    expect(second.signal.aborted).toBe(true);
    second.give(answer(9, "ada"));
    await Promise.resolve();
    expect(pulls).toHaveLength(0);
    expect(log).toEqual(["draw ", "draw ada", "draw ", "draw ada", "close"]);
  });
});
