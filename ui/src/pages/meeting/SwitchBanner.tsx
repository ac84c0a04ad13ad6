import { Button, Spinner } from "../../components/Button";
import { useStore } from "../../components/store";
import { switchWords } from "../../state/switching";
import type { AppState } from "../../types/AppState";
import styles from "./ConnectionBanner.module.css";

/** Says that one is on the way to another room, and lets one stay. */
export function SwitchBanner({ app }: { app: AppState }) {
  const store = useStore();
  const words = switchWords(app);
  return (
    <div role="status" className={styles["live"]}>
      {words !== null && (
        <p className={styles["banner"]} data-testid="switch-banner">
          <Spinner />
          <strong>{words}</strong>
          <span>You stay here until then.</span>
          <Button
            look="quiet"
            data-testid="switch-cancel"
            onClick={() => void store.cancelSwitch()}
          >
            Stay here
          </Button>
        </p>
      )}
    </div>
  );
}
