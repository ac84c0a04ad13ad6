import { useId, type ComponentProps } from "react";
import styles from "./Check.module.css";

type CheckProps = Omit<ComponentProps<"input">, "className" | "id" | "type" | "onChange"> & {
  label: string;
  hint?: string;
  onValue: (value: boolean) => void;
  "data-testid": string;
};

/** Yes or no. */
export function Check({ label, hint, onValue, ...rest }: CheckProps) {
  const id = useId();
  return (
    <div className={styles["check"]}>
      <input
        {...rest}
        id={id}
        type="checkbox"
        className={styles["box"]}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          onValue(event.target.checked);
        }}
      />
      <label htmlFor={id} className={styles["label"]}>
        {label}
      </label>
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles["hint"]}>
          {hint}
        </p>
      )}
    </div>
  );
}
