import { useEffect, useState } from "react";
import { Logo } from "../../components/Logo";
import { ThemeSwitch } from "../../components/ThemeSwitch";
import { elapsed, elapsedWords } from "../../state/clock";
import { hostingOf, roomLabel, type State } from "../../state/state";
import { roleLabel, sceneLabel } from "../../state/terms";
import { InviteButton } from "./Invite";
import styles from "./TopBar.module.css";

export function TopBar({ state }: { state: State }) {
  const { room } = state.app;
  const hosting = hostingOf(state);
  const scene = room?.scene ?? 0;
  const role = roleLabel(scene, room?.role ?? 0);
  return (
    <header className={styles["top"]}>
      <Logo words={false} />
      <div className={styles["words"]}>
        <h1
          id="meeting-title"
          tabIndex={-1}
          className={styles["room"]}
          data-kind={room?.strRoomId == null ? "number" : "text"}
        >
          <span className={styles["word"]}>Room </span>
          <span data-testid="meeting-room">{roomLabel(state)}</span>
        </h1>
        <p className={styles["about"]}>
          <span data-testid="meeting-scene">{sceneLabel(scene)}</span>
          {role !== null && <span data-testid="meeting-role">{role}</span>}
          {state.since !== null && <Elapsed since={state.since} />}
        </p>
      </div>
      {hosting !== null && <InviteButton state={state} hosting={hosting} />}
      <ThemeSwitch />
    </header>
  );
}

function Elapsed({ since }: { since: number }) {
  const [passed, setPassed] = useState(0);
  useEffect(() => {
    const tick = () => {
      setPassed(Date.now() - since);
    };
    tick();
    const timer = setInterval(tick, 1000);
    return () => {
      clearInterval(timer);
    };
  }, [since]);
  return (
    <span
      role="timer"
      aria-label={`Elapsed: ${elapsedWords(passed)}`}
      className={styles["time"]}
      data-testid="meeting-elapsed"
    >
      {elapsed(passed)}
    </span>
  );
}
