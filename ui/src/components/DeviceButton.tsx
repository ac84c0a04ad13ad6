import { Icon } from "./Icon";
import styles from "./DeviceButton.module.css";

type DeviceButtonProps = {
  device: "microphone" | "camera";
  on: boolean;
  testId: string;
  onClick: () => void;
};

/** A round switch for a device, readable on any picture. */
export function DeviceButton({ device, on, testId, onClick }: DeviceButtonProps) {
  const label = `Turn ${device} ${on ? "off" : "on"}`;
  return (
    <button
      type="button"
      className={[styles["button"], on ? styles["on"] : styles["off"]].join(" ")}
      title={label}
      aria-label={label}
      data-testid={testId}
      data-state={on ? "on" : "off"}
      onClick={onClick}
    >
      <Icon name={on ? device : `${device}Off`} size={22} />
    </button>
  );
}
