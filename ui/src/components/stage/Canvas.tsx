import { useEffect, useRef, useState } from "react";
import type { Host } from "../../host/host";
import { Player } from "./player";
import { openScreen } from "./screen";
import type { Sheet } from "./sheet";
import styles from "./Stage.module.css";

type CanvasProps = {
  sheet: Sheet;
  frames: Host["frames"];
  /** Hears why nothing can be drawn, or that it can. */
  onFault: (fault: Fault | null) => void;
};

/** Why the page cannot draw pictures: the webview has no WebGL, or the backend gives it no frames. */
export type Fault = "webgl" | "frames";

/** Draws what is seen through the sheet. */
export function Canvas({ sheet, frames, onFault }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  /** Counts how often the driver took everything away and gave it back. */
  const [restored, setRestored] = useState(0);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const screen = openScreen(element);
    onFault(screen === null ? "webgl" : null);
    if (screen === null) return;
    const player = new Player(screen, frames, (failing) => {
      onFault(failing ? "frames" : null);
    });
    const stop = sheet.follow((scene) => {
      player.lay(scene);
    });
    const onLost = (event: Event) => {
      // Otherwise it is never given back.
      event.preventDefault();
      stop();
      player.close();
    };
    const onRestored = () => {
      setRestored((times) => times + 1);
    };
    element.addEventListener("webglcontextlost", onLost);
    element.addEventListener("webglcontextrestored", onRestored);
    return () => {
      element.removeEventListener("webglcontextlost", onLost);
      element.removeEventListener("webglcontextrestored", onRestored);
      stop();
      player.close();
    };
  }, [sheet, frames, onFault, restored]);
  return <canvas ref={canvas} className={styles["canvas"]} aria-hidden="true" />;
}
