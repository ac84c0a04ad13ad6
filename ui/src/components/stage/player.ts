import { readFrames } from "../../state/frames";
import type { Scene } from "../../types/Scene";
import type { Host } from "../../host/host";
import type { Screen } from "./screen";

/** Milliseconds between two tries where the backend does not answer. */
const PAUSE = 500;
/** Tries in a row that fail before it is said that nothing comes. */
const TRIES = 6;

/**
 * Pulls the frames of the tiles and draws them. It pulls again when the last ones are drawn, and only
 * while there are tiles: a page that is slow or hidden takes fewer frames, or none.
 */
export class Player {
  private scene: Scene | null = null;
  private pulling: AbortController | null = null;
  /** Pulls in a row that failed. */
  private failures = 0;

  constructor(
    private readonly screen: Screen,
    private readonly frames: Host["frames"],
    /** Hears whether frames cannot be had. */
    private readonly onFailing: (failing: boolean) => void,
  ) {}

  /** Draws this scene from now on. */
  lay(scene: Scene): void {
    const known = new Set(this.scene?.tiles.map(({ id }) => id));
    this.scene = scene;
    this.screen.draw(scene);
    if (scene.tiles.length === 0) this.pause();
    // Somebody who is new has a picture already, perhaps one that stands still.
    else if (this.pulling === null || scene.tiles.some(({ id }) => !known.has(id))) this.restart();
  }

  /** Ends it. */
  close(): void {
    this.pause();
    this.screen.close();
  }

  private pause(): void {
    this.pulling?.abort();
    this.pulling = null;
  }

  private restart(): void {
    this.pause();
    this.pulling = new AbortController();
    void this.run(this.pulling.signal);
  }

  private async run(signal: AbortSignal): Promise<void> {
    let number = 0;
    const over = () => signal.aborted;
    while (!over()) {
      const answer = await this.frames(number, signal).catch(() => undefined);
      // Nothing for a while is fine.
      if (over() || answer === null) continue;
      const frames = answer === undefined ? null : readFrames(answer);
      if (frames === null) {
        this.failures += 1;
        if (this.failures === TRIES) this.onFailing(true);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        continue;
      }
      if (this.failures >= TRIES) this.onFailing(false);
      this.failures = 0;
      number = frames.number;
      for (const { id, picture } of frames.tiles) this.screen.put(id, picture);
      await new Promise(requestAnimationFrame);
      if (!over() && this.scene !== null) this.screen.draw(this.scene);
    }
  }
}
