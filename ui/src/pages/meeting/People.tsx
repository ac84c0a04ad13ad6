import { useEffect, useRef } from "react";
import { Avatar } from "../../components/Avatar";
import { IconButton } from "../../components/Button";
import { Icon, type IconName } from "../../components/Icon";
import type { Person } from "../../state/meeting";
import styles from "./People.module.css";

type PeopleProps = { people: readonly Person[]; onClose: () => void };

/** Everybody by name, with what they send. */
export function People({ people, onClose }: PeopleProps) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <aside
      id="people"
      className={styles["panel"]}
      aria-labelledby="people-title"
      data-testid="participants-panel"
    >
      <header className={styles["head"]}>
        <h2 ref={title} id="people-title" tabIndex={-1} className={styles["title"]}>
          People <span className={styles["count"]}>{people.length}</span>
        </h2>
        <IconButton
          icon="close"
          label="Close the list"
          data-testid="participants-close"
          onClick={onClose}
        />
      </header>
      {/* Scrolls by keyboard too, so it can be focused. */}
      <ul
        className={styles["list"]}
        tabIndex={0}
        aria-labelledby="people-title"
        data-testid="participants-list"
      >
        {people.map((person) => (
          <Row key={person.id} person={person} />
        ))}
      </ul>
    </aside>
  );
}

function Row({ person }: { person: Person }) {
  const detail = [person.role, person.speaking ? "speaking" : null]
    .filter((word) => word !== null)
    .join(" · ");
  return (
    <li
      className={styles["row"]}
      data-testid={person.self ? "participant-local" : `participant-${person.userId}`}
      data-video={person.video}
      data-microphone={person.microphone}
    >
      <Avatar name={person.name} userId={person.userId} size={36} />
      <span className={styles["words"]}>
        <span className={styles["name"]} title={person.userId}>
          {person.name}
          {person.self && <span className={styles["you"]}> (you)</span>}
        </span>
        {detail !== "" && <span className={styles["detail"]}>{detail}</span>}
      </span>
      <Sends
        icon={person.microphone === "on" ? "microphone" : "microphoneOff"}
        on={person.microphone === "on"}
        words={person.microphone === "on" ? "Microphone on" : "Muted"}
      />
      <Sends
        icon={person.video === "off" ? "cameraOff" : "camera"}
        on={person.video !== "off"}
        words={person.video === "off" ? "Camera off" : "Camera on"}
      />
    </li>
  );
}

function Sends({ icon, on, words }: { icon: IconName; on: boolean; words: string }) {
  return (
    <span className={on ? styles["on"] : styles["off"]} title={words}>
      <Icon name={icon} size={18} />
      <span className="sr-only">{words}</span>
    </span>
  );
}
