import { Icon } from "./Icon";
import styles from "./Voice.module.css";

/** A microphone that fills with the loudness of a voice, 0 to 100. */
export function Voice({ on, level, size }: { on: boolean; level: number; size: number }) {
  if (!on) return <Icon name="microphoneOff" size={size} />;
  return (
    <span className={styles["voice"]} data-level={level}>
      <Icon name="microphone" size={size} />
      <span className={styles["loud"]} style={{ clipPath: `inset(${100 - level}% 0 0 0)` }}>
        <Icon name="microphone" size={size} />
      </span>
    </span>
  );
}
