import { Bars } from "../../components/Bars";
import { Panel } from "../../components/Panel";
import { sectionsOf } from "../../state/figures";
import type { Person } from "../../state/meeting";
import { DOWN, ownStanding, type Network } from "../../state/network";
import styles from "./ConnectionPanel.module.css";

type ConnectionPanelProps = {
  network: Network;
  people: readonly Person[];
  onClose: () => void;
};

/** How one's connection does, and every figure about it in words. */
export function ConnectionPanel({ network, people, onClose }: ConnectionPanelProps) {
  const { quality, words, reason } = ownStanding(network);
  const { statistics } = network;
  const nameOf = (userId: string) => people.find(({ id }) => id === userId)?.name ?? userId;
  return (
    <Panel
      id="connection"
      title="Connection"
      closes="Close the figures"
      testIds={{
        panel: "connection-panel",
        close: "connection-close",
        body: "connection-figures",
      }}
      onClose={onClose}
    >
      <div className={styles["standing"]} data-testid="connection-standing" data-quality={quality}>
        <Bars quality={quality} size={28} />
        <p>
          <strong className={styles["words"]}>{words}</strong>
          {reason !== null && <span className={styles["reason"]}>{capital(reason)}.</span>}
        </p>
      </div>
      {statistics === null ? (
        <p className={styles["none"]}>
          {quality === DOWN
            ? "There are figures again once the connection is back."
            : "The first figures come within two seconds."}
        </p>
      ) : (
        sectionsOf(statistics, nameOf).map(({ title, rows }, index) => (
          // Names repeat, and sections do not move about.
          <section key={`${index} ${title}`} className={styles["section"]}>
            <h3 className={styles["title"]}>{title}</h3>
            <dl className={styles["figures"]}>
              {rows.map(({ label, value }) => (
                <div key={label} className={styles["figure"]}>
                  <dt>{label}</dt>
                  <dd className="selectable">{value}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))
      )}
    </Panel>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
