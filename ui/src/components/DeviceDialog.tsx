import { useEffect, useId, useRef, type ReactNode } from "react";
import { inWords } from "../state/words";
import { insteadOf, optionsOf, type DeviceKindName } from "../state/devices";
import type { Fault } from "../types/Fault";
import { Button } from "./Button";
import { Check } from "./Check";
import { Dialog } from "./Dialog";
import styles from "./DeviceDialog.module.css";
import { usePageState, useStore } from "./store";

/** Which camera, microphone and speaker are used, and what is done to one's voice. */
export function DeviceDialog({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const { app } = usePageState();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    store.listen(true);
    return () => {
      store.listen(false);
    };
  }, [store]);
  const { microphone, camera, speaker, voiceProcessing: voice } = app;
  return (
    <Dialog
      handle={dialog}
      labelledBy="devices-title"
      data-testid="device-dialog"
      onClose={onClose}
    >
      <h2 id="devices-title" className={styles["title"]}>
        Devices
      </h2>
      <DeviceChoice kind="camera" label="Camera">
        <FaultView device="camera" fault={camera.fault} />
      </DeviceChoice>
      <DeviceChoice kind="microphone" label="Microphone">
        {microphone.fault !== null ? (
          <FaultView device="microphone" fault={microphone.fault} />
        ) : (
          <Level on={microphone.on && !microphone.muted} level={microphone.level} />
        )}
      </DeviceChoice>
      <DeviceChoice kind="speaker" label="Speaker">
        <FaultView device="speaker" fault={speaker.fault} />
      </DeviceChoice>
      <fieldset className={styles["voice"]}>
        <legend className={styles["label"]}>Your voice</legend>
        <Check
          label="Cancel echo"
          hint="Takes out what your speaker plays."
          checked={voice.echoCancellation}
          data-testid="echo-cancellation"
          onValue={(echoCancellation) => void store.setVoice({ echoCancellation })}
        />
        <Check
          label="Suppress noise"
          checked={voice.noiseSuppression}
          data-testid="noise-suppression"
          onValue={(noiseSuppression) => void store.setVoice({ noiseSuppression })}
        />
        <Check
          label="Even out the level"
          checked={voice.autoGainControl}
          data-testid="auto-gain-control"
          onValue={(autoGainControl) => void store.setVoice({ autoGainControl })}
        />
      </fieldset>
      <div className={styles["foot"]}>
        <Button look="primary" data-testid="devices-close" onClick={() => dialog.current?.close()}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}

type DeviceChoiceProps = {
  kind: DeviceKindName;
  label: string;
  children?: ReactNode;
};

function DeviceChoice({ kind, label, children }: DeviceChoiceProps) {
  const store = useStore();
  const { app, devices } = usePageState();
  const id = useId();
  const chosen = app.selected[kind];
  const instead = insteadOf(kind, app, devices);
  return (
    <div className={styles["choice"]}>
      <label htmlFor={id} className={styles["label"]}>
        {label}
      </label>
      <select
        id={id}
        className={styles["select"]}
        value={chosen ?? ""}
        data-testid={`select-${kind}`}
        onChange={(event) => void store.selectDevice(kind, event.target.value)}
      >
        {optionsOf(kind, app.devices, chosen, devices).map(({ value, words }) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      {instead !== null && (
        <p className={styles["hint"]} role="status" data-testid={`${kind}-instead`}>
          “{instead}” is used instead.
        </p>
      )}
      {children}
    </div>
  );
}

/** Why a device does not work, and what helps. */
function FaultView({ device, fault }: { device: DeviceKindName; fault: Fault | null }) {
  if (fault === null) return null;
  return (
    <p className={styles["fault"]} role="status" data-testid={`${device}-fault`}>
      {inWords(fault)}
    </p>
  );
}

function Level({ on, level }: { on: boolean; level: number }) {
  return (
    <div className={styles["meter"]}>
      <meter
        aria-label="Level of your microphone"
        min={0}
        max={100}
        value={on ? level : 0}
        data-testid="microphone-level"
      />
      <span className={styles["hint"]}>
        {on ? "Say something: the bar moves when you are heard." : "Your microphone is off."}
      </span>
    </div>
  );
}
