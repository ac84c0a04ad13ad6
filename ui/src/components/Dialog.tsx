import { useEffect, type ReactNode, type RefObject } from "react";
import styles from "./Dialog.module.css";

type DialogProps = {
  /** The id of the heading. */
  labelledBy: string;
  describedBy?: string;
  "data-testid": string;
  /** The element, for whoever closes it. */
  handle: RefObject<HTMLDialogElement | null>;
  onClose: () => void;
  children: ReactNode;
};

/** A window above the page, which has the focus until it is closed. */
export function Dialog({
  labelledBy,
  describedBy,
  handle,
  onClose,
  children,
  ...rest
}: DialogProps) {
  useEffect(() => {
    handle.current?.showModal();
  }, [handle]);
  return (
    <dialog
      ref={handle}
      className={styles["dialog"]}
      aria-labelledby={labelledBy}
      aria-describedby={describedBy}
      data-testid={rest["data-testid"]}
      onClose={onClose}
    >
      {children}
    </dialog>
  );
}
