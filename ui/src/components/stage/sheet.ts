import type { Scene } from "../../types/Scene";
import { colourOf, sheetPath, toTile, type PageTile } from "../../state/stage";

/** What is known of a tile besides where it is. */
export type Wish = Pick<PageTile, "id" | "fit" | "mirror" | "radius" | "speaking">;

/**
 * Keeps the sheet's holes and the backend's rectangles equal to where the tiles are on the page.
 * Measures once a frame at most, and speaks only when something has changed.
 */
export class Sheet {
  private readonly tiles = new Map<HTMLElement, Wish>();
  private readonly sizes: ResizeObserver;
  private readonly changes: MutationObserver;
  private path: SVGPathElement | null = null;
  private planned = 0;
  private said = "";
  private scene: Scene | null = null;
  private readonly followers = new Set<(scene: Scene) => void>();

  constructor(private readonly send: (scene: Scene) => void) {
    this.sizes = new ResizeObserver(this.plan);
    this.changes = new MutationObserver(this.plan);
  }

  /** Begins to follow the window. The returned function ends it. */
  start(): () => void {
    // Whatever changes on the page may move a tile without resizing it.
    this.changes.observe(document.documentElement, {
      attributeFilter: ["class", "style", "hidden", "data-theme"],
      childList: true,
      characterData: true,
      subtree: true,
    });
    fonts()?.addEventListener("loadingdone", this.plan);
    window.addEventListener("resize", this.plan);
    // Scrolling moves tiles too; it does not bubble.
    window.addEventListener("scroll", this.plan, true);
    this.plan();
    return () => {
      cancelAnimationFrame(this.planned);
      this.planned = 0;
      this.sizes.disconnect();
      this.changes.disconnect();
      fonts()?.removeEventListener("loadingdone", this.plan);
      window.removeEventListener("resize", this.plan);
      window.removeEventListener("scroll", this.plan, true);
    };
  }

  /** The path that is filled with the page's colour. */
  paintOn(path: SVGPathElement | null): void {
    this.path = path;
    this.plan();
  }

  /** Hears every scene from now on, and the present one at once. The returned function ends it. */
  follow(follower: (scene: Scene) => void): () => void {
    this.followers.add(follower);
    if (this.scene !== null) follower(this.scene);
    return () => {
      this.followers.delete(follower);
    };
  }

  put(element: HTMLElement, wish: Wish): void {
    if (!this.tiles.has(element)) this.sizes.observe(element);
    this.tiles.set(element, wish);
    this.plan();
  }

  drop(element: HTMLElement): void {
    this.sizes.unobserve(element);
    this.tiles.delete(element);
    this.plan();
  }

  private readonly plan = (): void => {
    if (this.planned !== 0) return;
    this.planned = requestAnimationFrame(() => {
      this.planned = 0;
      this.measure();
    });
  };

  private measure(): void {
    const { innerWidth: width, innerHeight: height, devicePixelRatio: scale } = window;
    const tiles = Array.from(this.tiles, ([element, wish]): PageTile => {
      const { x, y, width: w, height: h } = element.getBoundingClientRect();
      return { x, y, w, h, ...wish };
    }).filter(({ w, h }) => w > 0 && h > 0);
    this.path?.setAttribute("d", sheetPath(tiles, width, height));
    document.documentElement.dataset["sheet"] = "on";
    const style = getComputedStyle(document.documentElement);
    const scene: Scene = {
      size: [Math.round(width * scale), Math.round(height * scale)],
      scale,
      background: colourOf(style.getPropertyValue("--stage")),
      card: colourOf(style.getPropertyValue("--tile")),
      accent: colourOf(style.getPropertyValue("--speaking")),
      tiles: tiles.map((tile) => toTile(tile, scale)),
    };
    const saying = JSON.stringify(scene);
    if (saying === this.said) return;
    this.said = saying;
    this.scene = scene;
    for (const follower of this.followers) follower(scene);
    this.send(scene);
  }
}

/** Absent where nothing is laid out. */
function fonts(): FontFaceSet | undefined {
  return "fonts" in document ? document.fonts : undefined;
}
