import { useLayoutEffect, useRef, useState } from "react";
import { Icon } from "../../components/Icon";
import { gallery } from "../../state/layout";
import type { Person } from "../../state/meeting";
import { TileView } from "./TileView";
import styles from "./Gallery.module.css";

const GAP = 8;

/** Everybody with a tile, as large as the window allows. */
export function Gallery({ tiles }: { tiles: readonly Person[] }) {
  const area = useRef<HTMLUListElement>(null);
  const [[width, height], setSize] = useState<[number, number]>([0, 0]);
  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    const measure = () => {
      setSize([element.clientWidth, element.clientHeight]);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);

  const boxes = gallery(tiles.length, width, height, GAP);
  return (
    <ul ref={area} className={styles["gallery"]} aria-label="People" data-testid="gallery">
      {tiles.map((person, index) => (
        <TileView key={person.id} person={person} box={boxes[index]} />
      ))}
      {tiles.length === 0 && (
        <li className={styles["empty"]} data-testid="gallery-empty">
          <Icon name="live" size={40} />
          <span className={styles["headline"]}>Nobody is on stage yet</span>
          <span>You will see and hear the others as soon as they begin.</span>
        </li>
      )}
    </ul>
  );
}
