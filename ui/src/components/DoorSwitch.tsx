import { useState } from "react";
import { checkPasscode } from "../state/join";
import type { Hosting } from "../types/Hosting";
import { Button } from "./Button";
import { Check } from "./Check";
import styles from "./DoorSwitch.module.css";
import { Field } from "./Field";
import { useStore } from "./store";

/** Changes who comes in to the rooms open here: by which passcode, and whether they wait. */
export function DoorSwitch({ hosting, testId }: { hosting: Hosting; testId: string }) {
  const store = useStore();
  const [busy, setBusy] = useState(false);
  const [typed, setTyped] = useState("");
  const wrong = checkPasscode(typed);
  const change = async (wanted: { passcode?: string; waitingRoom?: boolean }) => {
    setBusy(true);
    const done = await store.setDoor(wanted);
    setBusy(false);
    if (done && wanted.passcode !== undefined) setTyped("");
  };
  const set = () => {
    if (typed !== "" && wrong === null && !busy) void change({ passcode: typed });
  };
  return (
    <>
      <Field
        label="Passcode for guests"
        name={testId}
        hint={
          hosting.passcode
            ? "One is asked for; it is in your invitations."
            : "None is asked for: whoever knows the address comes in."
        }
        error={wrong ?? undefined}
        placeholder={hosting.passcode ? "Another passcode" : "A passcode"}
        value={typed}
        disabled={busy}
        data-testid={`${testId}-passcode`}
        onValue={setTyped}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          // The form around it would go into the room.
          event.preventDefault();
          set();
        }}
      />
      <div className={styles["buttons"]}>
        <Button
          disabled={busy || typed === "" || wrong !== null}
          data-testid={`${testId}-passcode-set`}
          onClick={set}
        >
          {hosting.passcode ? "Change the passcode" : "Ask for it"}
        </Button>
        {hosting.passcode && (
          <Button
            look="quiet"
            disabled={busy}
            data-testid={`${testId}-passcode-off`}
            onClick={() => void change({ passcode: "" })}
          >
            Ask for none
          </Button>
        )}
      </div>
      <Check
        label="Those who come wait until I let them in"
        checked={hosting.waitingRoom}
        disabled={busy}
        data-testid={`${testId}-waiting`}
        onValue={(waitingRoom) => void change({ waitingRoom })}
      />
    </>
  );
}
