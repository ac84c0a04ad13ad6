import { useId, useState } from "react";
import { Icon, type IconName } from "./Icon";
import styles from "./Choice.module.css";

type Option<T extends string | number> = {
  value: T;
  label: string;
  icon?: IconName;
  /** Said by the tooltip. */
  hint?: string;
  testId: string;
};

type ChoiceProps<T extends string | number> = {
  /** What is chosen; seen above the options unless `hideLegend`. */
  legend: string;
  hideLegend?: boolean;
  /** `strip`: one line of joined parts. `cards`: boxes of equal size, two in a row. */
  look: "strip" | "cards";
  options: readonly Option<T>[];
  /** A word about what is chosen, where there is space for it. */
  hint?: string;
  value: T;
  disabled?: boolean;
  onValue: (value: T) => void;
};

/**
 * Whether a group is used by keys. WebKit moves from one radio button to the next with the arrow
 * keys without taking that for a focus to be shown.
 */
function useKeys() {
  const [keys, setKeys] = useState(false);
  return {
    "data-keys": keys ? "" : undefined,
    onKeyDown: () => {
      setKeys(true);
    },
    onPointerDown: () => {
      setKeys(false);
    },
  };
}

/** One of a few, all of them in sight. Real radio buttons: arrow keys move between them. */
export function Choice<T extends string | number>({
  legend,
  hideLegend = false,
  look,
  options,
  hint,
  value,
  disabled = false,
  onValue,
}: ChoiceProps<T>) {
  const name = useId();
  const keys = useKeys();
  return (
    <div {...keys} role="radiogroup" aria-labelledby={`${name}-legend`}>
      <p id={`${name}-legend`} className={hideLegend ? "sr-only" : styles["legend"]}>
        {legend}
      </p>
      <div className={styles[look]}>
        {options.map((option) => (
          <label key={option.value} className={styles["option"]}>
            <input
              type="radio"
              aria-description={option.hint}
              name={name}
              className={styles["radio"]}
              checked={option.value === value}
              disabled={disabled}
              data-testid={option.testId}
              onChange={() => {
                onValue(option.value);
              }}
            />
            <span className={styles["face"]}>
              {option.icon && <Icon name={option.icon} size={look === "cards" ? 20 : 18} />}
              <span className={styles["words"]}>{option.label}</span>
            </span>
          </label>
        ))}
      </div>
      {hint !== undefined && (
        <p className={styles["hint"]} aria-live="polite">
          {hint}
        </p>
      )}
    </div>
  );
}

type IconChoiceProps<T extends string> = {
  legend: string;
  options: readonly (Option<T> & { icon: IconName })[];
  value: T;
  onValue: (value: T) => void;
};

/** The same without words, for the top bar. */
export function IconChoice<T extends string>({
  legend,
  options,
  value,
  onValue,
}: IconChoiceProps<T>) {
  const name = useId();
  const keys = useKeys();
  return (
    <div {...keys} role="radiogroup" aria-label={legend}>
      <div className={styles["strip"]}>
        {options.map((option) => (
          <label key={option.value} className={styles["option"]} title={option.label}>
            <input
              type="radio"
              name={name}
              className={styles["radio"]}
              checked={option.value === value}
              aria-label={option.label}
              data-testid={option.testId}
              onChange={() => {
                onValue(option.value);
              }}
            />
            <span className={[styles["face"], styles["bare"]].join(" ")}>
              <Icon name={option.icon} size={18} />
            </span>
          </label>
        ))}
      </div>
    </div>
  );
}
