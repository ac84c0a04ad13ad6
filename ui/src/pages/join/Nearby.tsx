import { useId } from "react";
import { Icon } from "../../components/Icon";
import type { JoinForm } from "../../state/join";
import type { NearbyView } from "../../types/NearbyView";
import styles from "./Nearby.module.css";

type NearbyProps = {
  /** Who was found; null while nobody looks. */
  found: readonly NearbyView[] | null;
  form: JoinForm;
  busy: boolean;
  edit: (change: Partial<JoinForm>) => void;
};

/** Computers in the same network that let others in. Whoever hosts sees them when there are some. */
export function Nearby({ found, form, busy, edit }: NearbyProps) {
  const heading = useId();
  if (found === null || (found.length === 0 && form.where === "host")) return null;
  return (
    <section aria-labelledby={heading} className={styles["nearby"]} data-testid="nearby">
      <h2 id={heading} className={styles["heading"]}>
        Hosting nearby
      </h2>
      {found.length > 0 && (
        <ul className={styles["list"]}>
          {found.map((one) => (
            <li key={one.server}>
              <button
                type="button"
                className={styles["one"]}
                aria-pressed={form.where === "server" && form.server === one.server}
                disabled={busy}
                data-testid={`nearby-${one.address}`}
                onClick={() => {
                  edit({ where: "server", server: one.server });
                }}
              >
                <Icon name="host" size={18} />
                <span className={styles["name"]}>{one.name}</span>
                <span className={styles["address"]}>{one.address}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <p className={styles["note"]} role="status" data-testid="nearby-note">
        {found.length > 0
          ? "Rooms are not shown to the network: ask the host which one."
          : "No computer on this network lets others in right now. One that does appears here."}
      </p>
    </section>
  );
}
