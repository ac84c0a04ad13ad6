import { useEffect, useRef } from "react";
import { Button } from "../../components/Button";
import { Icon, type IconName } from "../../components/Icon";
import { Logo } from "../../components/Logo";
import { ThemeSwitch } from "../../components/ThemeSwitch";
import { useStore } from "../../components/store";
import type { Notice } from "../../state/exit";
import styles from "./ExitPage.module.css";

const ICONS: Record<Notice["kind"], IconName> = {
  left: "door",
  removed: "removed",
  dismissed: "door",
  elsewhere: "devices",
  stopped: "host",
  lost: "unplugged",
};

/** Why the meeting is over, and what can be done now. */
export function ExitPage({ notice }: { notice: Notice }) {
  const store = useStore();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <div className={styles["page"]} data-testid="exit-page" data-kind={notice.kind}>
      <header className={styles["top"]}>
        <Logo />
        <ThemeSwitch />
      </header>
      <main className={styles["main"]}>
        <div className={styles["card"]}>
          <span
            className={[styles["mark"], notice.kind === "left" ? "" : styles["sudden"]].join(" ")}
          >
            <Icon name={ICONS[notice.kind]} size={32} />
          </span>
          <h1 ref={title} tabIndex={-1} className={styles["title"]} data-testid="exit-title">
            {notice.title}
          </h1>
          <p className={styles["what"]} data-testid="exit-what">
            {notice.what}
          </p>
          <p className={styles["next"]} data-testid="exit-next">
            <span>{notice.next}</span> <span>Your camera and microphone are off.</span>
          </p>
          <div className={styles["buttons"]}>
            <Button data-testid="exit-back" onClick={() => void store.backToStart()}>
              Back to start
            </Button>
            <Button look="primary" data-testid="exit-rejoin" onClick={() => void store.joinAgain()}>
              Join again
            </Button>
          </div>
        </div>
      </main>
    </div>
  );
}
