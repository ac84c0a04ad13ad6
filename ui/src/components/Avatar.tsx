import { hueOf, initials } from "../state/avatar";
import styles from "./Avatar.module.css";

/** Initials on a person's own colour; the name beside it says the rest. */
export function Avatar({ name, userId, size }: { name: string; userId: string; size: number }) {
  return (
    <span
      className={[styles["avatar"], styles[`hue${hueOf(userId)}`]].join(" ")}
      style={{ width: size, height: size, fontSize: Math.round(size * 0.38) }}
      aria-hidden="true"
    >
      {initials(name)}
    </span>
  );
}
