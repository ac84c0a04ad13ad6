import { Spinner } from "../../components/Button";
import type { Connection } from "../../state/state";
import styles from "./ConnectionBanner.module.css";

/** Says that the network is gone, for as long as it is. */
export function ConnectionBanner({ connection }: { connection: Connection }) {
  return (
    <div role="status" className={styles["live"]}>
      {connection !== "fine" && (
        <p className={styles["banner"]} data-testid="connection-banner" data-state={connection}>
          <Spinner />
          <strong>
            {connection === "lost" ? "The connection was lost." : "Connecting again…"}
          </strong>
          <span>The others do not see or hear you at the moment.</span>
        </p>
      )}
    </div>
  );
}
