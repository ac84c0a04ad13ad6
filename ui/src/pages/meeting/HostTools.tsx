import { Button } from "../../components/Button";
import { Check } from "../../components/Check";
import { useStore } from "../../components/store";
import type { RoomTools } from "../../state/host";
import type { HostAction } from "../../types/HostAction";
import type { Waiting } from "../../types/Waiting";
import styles from "./Host.module.css";

type HostToolsProps = {
  tools: RoomTools;
  waiting: readonly Waiting[];
  /** What those are called who were here, by user ID. */
  names: ReadonlyMap<string, string>;
};

/** What a host does to the whole room, who waits to be let in, and who is kept out. */
export function HostTools({ tools, waiting, names }: HostToolsProps) {
  const store = useStore();
  const act = (action: HostAction) => void store.act(action);
  return (
    <section className={styles["tools"]} aria-label="Host tools" data-testid="host-tools">
      {waiting.length > 0 && (
        <>
          <div className={styles["head"]}>
            <h3 className={styles["title"]}>Waiting to come in</h3>
            {waiting.length > 1 && (
              <Button
                data-testid="admit-all"
                onClick={() => {
                  act({ action: "admit" });
                }}
              >
                Admit all
              </Button>
            )}
          </div>
          <ul className={styles["waiting"]} data-testid="waiting-list">
            {waiting.map(({ userId, name }) => (
              <li key={userId} className={styles["one"]} data-testid={`waiting-${userId}`}>
                <span className={styles["name"]} title={userId}>
                  {name || userId}
                </span>
                <Button
                  look="primary"
                  aria-label={`Admit ${name || userId}`}
                  data-testid={`admit-${userId}`}
                  onClick={() => {
                    act({ action: "admit", userId });
                  }}
                >
                  Admit
                </Button>
                <Button
                  aria-label={`Send away ${name || userId}`}
                  data-testid={`deny-${userId}`}
                  onClick={() => {
                    act({ action: "deny", userId });
                  }}
                >
                  Send away
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
      <div className={styles["buttons"]}>
        <Button
          data-testid="mute-all"
          onClick={() => {
            act({ action: "mute" });
          }}
        >
          Mute all
        </Button>
      </div>
      <Check
        label="Only hosts may unmute"
        checked={tools.mutedAll}
        data-testid="forbid-unmute"
        onValue={(on) => {
          act(on ? { action: "mute", allowUnmute: false } : { action: "allowUnmute" });
        }}
      />
      <Check
        label="Those who come wait until I let them in"
        checked={tools.waitingRoom}
        data-testid="waiting-room"
        onValue={(on) => {
          act({ action: "waitingRoom", on });
        }}
      />
      <Check
        label="Lock the room: nobody else comes in"
        checked={tools.locked}
        data-testid="lock-room"
        onValue={(on) => {
          act({ action: "lock", on });
        }}
      />
      {tools.banned.length > 0 && (
        <>
          <h3 className={styles["title"]}>Kept out</h3>
          <ul className={styles["waiting"]} data-testid="banned-list">
            {tools.banned.map((userId) => {
              const name = names.get(userId) ?? userId;
              return (
                <li key={userId} className={styles["one"]} data-testid={`banned-${userId}`}>
                  <span className={styles["name"]} title={userId}>
                    {name}
                  </span>
                  <Button
                    aria-label={`Let back in ${name}`}
                    data-testid={`unban-${userId}`}
                    onClick={() => {
                      act({ action: "unban", userId });
                    }}
                  >
                    Let back in
                  </Button>
                </li>
              );
            })}
          </ul>
        </>
      )}
    </section>
  );
}
