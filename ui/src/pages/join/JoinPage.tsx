import { Logo } from "../../components/Logo";
import { ThemeSwitch } from "../../components/ThemeSwitch";
import { usePageState } from "../../components/store";
import { cameraWish } from "../../state/state";
import { JoinFormCard } from "./JoinFormCard";
import { Preview } from "./Preview";
import styles from "./JoinPage.module.css";

/** Where everything begins: who, which room, where. */
export function JoinPage() {
  const state = usePageState();
  const { joining, app } = state;
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
          </div>
          <JoinFormCard joining={joining} hosting={app.hosting} />
        </div>
      </main>
    </div>
  );
}
