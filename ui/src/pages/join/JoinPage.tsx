import { useEffect } from "react";
import { Logo } from "../../components/Logo";
import { ThemeSwitch } from "../../components/ThemeSwitch";
import { usePageState, useStore } from "../../components/store";
import { cameraWish } from "../../state/state";
import { JoinFormCard } from "./JoinFormCard";
import { Nearby } from "./Nearby";
import { Preview } from "./Preview";
import styles from "./JoinPage.module.css";

/** Where everything begins: who, which room, where. */
export function JoinPage() {
  const store = useStore();
  const state = usePageState();
  const { joining, app } = state;
  useEffect(() => store.lookAround(), [store]);
  return (
    <div className={styles["page"]} data-testid="join-page">
      <header className={styles["top"]}>
        <Logo />
        <ThemeSwitch />
      </header>
      <main className={styles["main"]}>
        <div className={styles["columns"]}>
          <div className={styles["side"]}>
            <h1 className={styles["title"]}>Meet face to face</h1>
            <p className={styles["lead"]}>
              Pick a room and step in. This computer can host it, so nobody needs an account.
            </p>
            <Preview
              form={joining.form}
              userId={joining.form.userId || app.userId}
              camera={app.camera}
              wished={cameraWish(state)}
            />
            <Nearby
              found={app.nearby ?? null}
              form={joining.form}
              busy={joining.step !== null}
              edit={(change) => {
                store.edit(change);
              }}
            />
          </div>
          <JoinFormCard joining={joining} hosting={app.hosting} />
        </div>
      </main>
    </div>
  );
}
