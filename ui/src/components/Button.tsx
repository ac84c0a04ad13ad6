import type { ComponentProps } from "react";
import { Icon, type IconName } from "./Icon";
import styles from "./Button.module.css";

type ButtonProps = Omit<ComponentProps<"button">, "className"> & {
  look?: "primary" | "secondary" | "danger" | "quiet";
  icon?: IconName;
  wide?: boolean;
  "data-testid": string;
};

/** A button with words. */
export function Button({ look = "secondary", icon, wide = false, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={[styles["button"], styles[look], wide ? styles["wide"] : ""].join(" ")}
    >
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ComponentProps<"button">, "className" | "children"> & {
  icon: IconName;
  /** What the button does: its name, and its tooltip. */
  label: string;
  "data-testid": string;
};

/** A button without words. */
export function IconButton({ icon, label, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      className={[styles["button"], styles["quiet"], styles["icon"]].join(" ")}
    >
      <Icon name={icon} />
    </button>
  );
}

export function Spinner() {
  return <span className={styles["spinner"]} aria-hidden="true" />;
}
