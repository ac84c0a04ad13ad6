import { useRef } from "react";
import { Avatar } from "../../components/Avatar";
import { Spinner } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { useStageTile } from "../../components/stage/Stage";
import type { Box } from "../../state/layout";
import type { Person } from "../../state/meeting";
import styles from "./TileView.module.css";

const RADIUS = 12;

/** One person: a hole for the picture, or initials where there is none. */
export function TileView({ person, box }: { person: Person; box: Box | undefined }) {
  const tile = useRef<HTMLLIElement>(null);
  const live = person.video === "on";
  useStageTile(
    tile,
    live && box !== undefined
      ? {
          id: person.id,
          fit: "fill",
          mirror: person.self,
          radius: RADIUS,
          speaking: person.speaking,
        }
      : null,
  );
  if (box === undefined) return null;
  const { x, y, w, h } = box;
  const avatar = Math.round(Math.min(112, Math.max(32, Math.min(w, h) * 0.36)));
  return (
    <li
      ref={tile}
      className={[
        styles["tile"],
        live ? "" : styles["card"],
        person.speaking && !live ? styles["speaking"] : "",
      ].join(" ")}
      style={{ left: x, top: y, width: w, height: h }}
      data-testid={person.self ? "tile-local" : `tile-${person.userId}`}
      data-video={person.video}
      data-microphone={person.microphone}
      data-speaking={person.speaking}
    >
      {!live && <Avatar name={person.name} userId={person.userId} size={avatar} />}
      {person.video === "starting" && (
        <span className={styles["starting"]}>
          <Spinner />
          <span className="sr-only">Picture is on its way</span>
        </span>
      )}
      <span className={styles["label"]}>
        <span className={person.microphone === "off" ? styles["muted"] : styles["open"]}>
          <Icon name={person.microphone === "on" ? "microphone" : "microphoneOff"} size={16} />
        </span>
        <span className="sr-only">
          {person.microphone === "on" ? "Microphone on: " : "Muted: "}
        </span>
        <span className={styles["name"]}>
          {person.name}
          {person.self && " (you)"}
        </span>
        {person.speaking && <span className="sr-only">, speaking</span>}
      </span>
    </li>
  );
}
