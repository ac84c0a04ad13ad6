import { useEffect, useState } from "react";
import { Bars } from "../../components/Bars";
import { Button, IconButton } from "../../components/Button";
import { Logo } from "../../components/Logo";
import { ThemeSwitch } from "../../components/ThemeSwitch";
import { elapsed, elapsedWords } from "../../state/clock";
import { inFull, ownStanding, type Network } from "../../state/network";
import { hostingOf, roomLabel, type State } from "../../state/state";
import { roleLabel, sceneLabel } from "../../state/terms";
import { InviteButton } from "./Invite";
import styles from "./TopBar.module.css";

type TopBarProps = {
  state: State;
  onConnection: () => void;
  onMessages: () => void;
  onInvite: () => void;
  onSwitch: () => void;
};

export function TopBar({ state, onConnection, onMessages, onInvite, onSwitch }: TopBarProps) {
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
      <ConnectionButton
        network={state.network}
        open={state.panel === "connection"}
        onClick={onConnection}
      />
      <IconButton
        id="toggle-messages"
        icon="message"
        label="Custom messages"
        aria-expanded={state.panel === "messages"}
        aria-controls={state.panel === "messages" ? "messages" : undefined}
        data-testid="toggle-messages"
        onClick={onMessages}
      />
      <IconButton
        icon="swap"
        label="Go to another room"
        aria-haspopup="dialog"
        disabled={state.app.switching !== null || state.app.phase !== "in"}
        data-testid="switch"
        onClick={onSwitch}
      />
      {hosting !== null ? (
        <InviteButton state={state} hosting={hosting} onLinks={onInvite} />
      ) : (
        <Button look="quiet" aria-haspopup="dialog" data-testid="invite" onClick={onInvite}>
          Invite
        </Button>
      )}
      <ThemeSwitch />
    </header>
  );
}

type ConnectionButtonProps = { network: Network; open: boolean; onClick: () => void };

/** One's own connection in words; opens the figures. */
function ConnectionButton({ network, open, onClick }: ConnectionButtonProps) {
  const standing = ownStanding(network);
  return (
    <button
      type="button"
      id="toggle-connection"
      className={styles["connection"]}
      aria-expanded={open}
      aria-controls={open ? "connection" : undefined}
      title={`${inFull(standing)}. ${open ? "Hide" : "Show"} the figures`}
      data-testid="toggle-connection"
      data-quality={standing.quality}
      onClick={onClick}
    >
      <Bars quality={standing.quality} />
      <span>{standing.words}</span>
    </button>
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
