import { useRef } from "react";
import { Avatar } from "../../components/Avatar";
import { Bars } from "../../components/Bars";
import { Spinner } from "../../components/Button";
import { Voice } from "../../components/Voice";
import { useBlind, useStageTile } from "../../components/stage/Stage";
import type { Box } from "../../state/layout";
import type { Person } from "../../state/meeting";
import { inFull, POOR, type Standing } from "../../state/network";
import styles from "./TileView.module.css";

const RADIUS = 12;
/** From these widths, in pixels, a tile has room for a few words, and for a sentence. */
const WORDS = 180;
const SENTENCE = 340;

/** One person: a hole for the picture, or initials where there is none. */
export function TileView({ person, box }: { person: Person; box: Box | undefined }) {
  const tile = useRef<HTMLLIElement>(null);
  const blind = useBlind();
  const live = person.video === "on" && !person.hidden && !blind;
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
      data-silenced={person.silenced}
      data-hidden={person.hidden}
      data-speaking={person.speaking}
      data-quality={person.connection.quality}
      data-ground="picture"
    >
      {!live && <Avatar name={person.name} userId={person.userId} size={avatar} />}
      {person.video === "starting" && !person.hidden && (
        <span className={styles["starting"]}>
          <Spinner />
          <span className="sr-only">Picture is on its way</span>
        </span>
      )}
      {person.connection.quality >= POOR && w >= WORDS && (
        <span className={[styles["label"], styles["trouble"]].join(" ")} aria-hidden="true">
          <Bars quality={person.connection.quality} size={16} />
          <span className={styles["name"]}>
            {w < SENTENCE ? person.connection.words : inFull(person.connection)}
          </span>
        </span>
      )}
      <span className={styles["label"]}>
        <span className={person.microphone === "off" ? styles["muted"] : styles["open"]}>
          <Voice on={person.microphone === "on"} level={person.level} size={16} />
        </span>
        <span className="sr-only">
          {person.microphone === "on" ? "Microphone on: " : "Muted: "}
        </span>
        <span className={styles["name"]}>
          {person.name}
          {person.self && " (you)"}
        </span>
        {person.speaking && <span className="sr-only">, speaking</span>}
        {person.connection.quality !== 0 && <Mark connection={person.connection} />}
      </span>
    </li>
  );
}

/** How somebody's connection does, as bars; the words are its tooltip, and read out. */
function Mark({ connection }: { connection: Standing }) {
  const words = inFull(connection);
  return (
    <span className={styles["mark"]} title={words}>
      <Bars quality={connection.quality} size={16} />
      <span className="sr-only">, {words}</span>
    </span>
  );
}
