import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { inWords } from "../state/words";
import { optionsOf, type DeviceKindName } from "../state/devices";
import type { DeviceView } from "../types/DeviceView";
import { Button } from "./Button";
import { Check } from "./Check";
import { Dialog } from "./Dialog";
import styles from "./DeviceDialog.module.css";
import { usePageState, useStore } from "./store";

/** How often the lists are read again: a device that is plugged in is there within a second. */
const LOOK = 1000;

/** Which camera, microphone and speaker are used, and what is done to one's voice. */
export function DeviceDialog({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const { app } = usePageState();
  const dialog = useRef<HTMLDialogElement>(null);
  const devices = useDevices();
  useEffect(() => {
    store.listen(true);
    return () => {
      store.listen(false);
    };
  }, [store]);
  const { microphone, camera, voiceProcessing: voice } = app;
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
      <DeviceChoice kind="camera" label="Camera" devices={devices}>
        {camera.fault !== null && <p className={styles["fault"]}>{inWords(camera.fault)}</p>}
      </DeviceChoice>
      <DeviceChoice kind="microphone" label="Microphone" devices={devices}>
        {microphone.fault !== null ? (
          <p className={styles["fault"]}>{inWords(microphone.fault)}</p>
        ) : (
          <Level on={microphone.on && !microphone.muted} level={microphone.level} />
        )}
      </DeviceChoice>
      <DeviceChoice kind="speaker" label="Speaker" devices={devices} />
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

/** The devices of this computer, as they come and go. */
function useDevices(): readonly DeviceView[] {
  const store = useStore();
  const [devices, setDevices] = useState<readonly DeviceView[]>([]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const look = async () => {
      const found = await store.devices();
      // Asked while the component lived, answered when it did not.
      if (over) return;
      if (found !== null) setDevices(found);
      timer = setTimeout(() => void look(), LOOK);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [store]);
  return devices;
}

type DeviceChoiceProps = {
  kind: DeviceKindName;
  label: string;
  devices: readonly DeviceView[];
  children?: ReactNode;
};

function DeviceChoice({ kind, label, devices, children }: DeviceChoiceProps) {
  const store = useStore();
  const { app } = usePageState();
  const id = useId();
  const chosen = app.selected[kind];
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
        {optionsOf(kind, devices, chosen).map(({ value, words }) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      {children}
    </div>
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
