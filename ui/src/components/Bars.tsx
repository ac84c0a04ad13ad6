import { DOWN } from "../state/network";
import type { Quality } from "../types/Quality";
import styles from "./Bars.module.css";

/** How many of the four bars are full. */
const FULL: Record<Quality, number> = { 0: 0, 1: 4, 2: 3, 3: 2, 4: 1, 5: 1, 6: 0 };
const LOOKS: Record<Quality, string> = {
  0: "none",
  1: "fine",
  2: "fine",
  3: "poor",
  4: "bad",
  5: "bad",
  6: "bad",
};

/** A connection as four bars, crossed out where there is none. The words beside it say the rest. */
export function Bars({ quality, size = 18 }: { quality: Quality; size?: number }) {
  return (
    <svg
      className={[styles["bars"], styles[LOOKS[quality]]].join(" ")}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      {[0, 1, 2, 3].map((bar) => (
        <rect
          key={bar}
          className={bar < FULL[quality] ? styles["full"] : styles["empty"]}
          x={2.5 + bar * 5.25}
          y={16 - bar * 4}
          width={3.25}
          height={5 + bar * 4}
          rx={1.25}
        />
      ))}
      {quality === DOWN && <path className={styles["cross"]} d="m4 4 7 7M11 4l-7 7" />}
    </svg>
  );
}
