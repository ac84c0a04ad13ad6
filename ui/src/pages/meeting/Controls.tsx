import { useState, type ComponentProps } from "react";
import { DeviceDialog } from "../../components/DeviceDialog";
import { Icon, type IconName } from "../../components/Icon";
import { useStore } from "../../components/store";
import type { Control as Switch, Controls as View } from "../../state/meeting";
import { inWords } from "../../state/words";
import { RoleDialog } from "./RoleDialog";
import styles from "./Controls.module.css";

type ControlsProps = {
  controls: View;
  count: number;
  /** How many people wait to be let in. */
  waiting: number;
  panel: boolean;
  /** A switch of role may need a permission. */
  permission: boolean;
  leaving: boolean;
  onPanel: () => void;
  onLeave: () => void;
};

/** The bottom bar. */
export function Controls({
  controls,
  count,
  waiting,
  panel,
  permission,
  leaving,
  onPanel,
  onLeave,
}: ControlsProps) {
  const store = useStore();
  const { microphone, camera } = controls;
  const [devices, setDevices] = useState(false);
  const [switching, setSwitching] = useState(false);
  return (
    <footer className={styles["bar"]}>
      <div className={styles["group"]} role="toolbar" aria-label="Meeting controls">
        {microphone.offered && (
          <Control
            icon={microphone.on ? "microphone" : "microphoneOff"}
            words={microphone.fault ? "No microphone" : microphone.on ? "Mute" : "Unmute"}
            off={!microphone.on}
            keys="Control+D"
            title={titleOf(microphone, "Mute", "Unmute", "the microphone (Ctrl+D)")}
            data-testid="toggle-microphone"
            data-state={microphone.on ? "on" : "off"}
            onClick={() => void store.toggleMicrophone()}
          />
        )}
        {camera.offered && (
          <Control
            icon={camera.on ? "camera" : "cameraOff"}
            words={camera.fault ? "No camera" : camera.on ? "Stop video" : "Start video"}
            off={!camera.on}
            keys="Control+E"
            title={titleOf(camera, "Stop", "Start", "the camera (Ctrl+E)")}
            data-testid="toggle-camera"
            data-state={camera.on ? "on" : "off"}
            onClick={() => void store.toggleCamera()}
          />
        )}
        {controls.role !== null && (
          <Control
            icon="live"
            words={controls.role.words}
            title={controls.role.title}
            aria-haspopup={permission ? "dialog" : undefined}
            data-testid="switch-role"
            onClick={() => {
              if (permission) setSwitching(true);
              else void store.switchRole();
            }}
          />
        )}
        <Control
          icon="settings"
          words="Devices"
          title="Choose camera, microphone and speaker"
          aria-haspopup="dialog"
          data-testid="devices"
          onClick={() => {
            setDevices(true);
          }}
        />
        <Control
          id="toggle-people"
          icon="people"
          words={waiting > 0 ? `${waiting} waiting` : `People ${count}`}
          pressed={panel}
          keys="Control+P"
          title={`${panel ? "Hide" : "Show"} the list of people (Ctrl+P)`}
          aria-expanded={panel}
          aria-controls={panel ? "people" : undefined}
          data-testid="toggle-participants"
          onClick={onPanel}
        />
        <Control
          icon="leave"
          words={leaving ? "Leaving…" : "Leave"}
          danger
          disabled={leaving}
          title="Leave the meeting"
          data-testid="leave"
          onClick={onLeave}
        />
      </div>
      {devices && (
        <DeviceDialog
          onClose={() => {
            setDevices(false);
          }}
        />
      )}
      {switching && controls.role !== null && (
        <RoleDialog
          role={controls.role}
          onClose={() => {
            setSwitching(false);
          }}
        />
      )}
    </footer>
  );
}

/** What a click does; before it why nothing comes of a device that was turned on. */
function titleOf({ on, fault }: Switch, off: string, start: string, what: string): string {
  if (fault === null) return `${on ? off : start} ${what}`;
  return `${inWords(fault)} ${off} ${what}`;
}

type ControlProps = Omit<ComponentProps<"button">, "className" | "children"> & {
  icon: IconName;
  words: string;
  keys?: string;
  off?: boolean;
  pressed?: boolean;
  danger?: boolean;
  "data-testid": string;
};

function Control({ icon, words, keys, off, pressed, danger, ...rest }: ControlProps) {
  const looks = [
    styles["control"],
    off ? styles["off"] : "",
    pressed ? styles["pressed"] : "",
    danger ? styles["danger"] : "",
  ];
  return (
    <button type="button" {...rest} className={looks.join(" ")} aria-keyshortcuts={keys}>
      <Icon name={icon} size={22} />
      <span>{words}</span>
    </button>
  );
}
