import { useEffect, useRef, useState } from "react";
import type { Toast } from "../state/toast";
import { IconButton } from "./Button";
import { Icon, type IconName } from "./Icon";
import { useStore } from "./store";
import styles from "./Toasts.module.css";

const ICONS: Record<Toast["kind"], IconName> = {
  info: "info",
  warning: "warning",
  error: "warning",
};

/** What a message that somebody was reading has left when they look away, milliseconds. */
const LAST = 2_000;

/** Short messages above the bottom bar. News goes by itself, but not while it is read. */
export function Toasts({ toasts }: { toasts: readonly Toast[] }) {
  return (
    <div className={styles["place"]} role="log" aria-label="Messages" aria-live="polite">
      {toasts.map((toast) => (
        <ToastView key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastView({ toast }: { toast: Toast }) {
  const store = useStore();
  const { id, until } = toast;
  const [reading, setReading] = useState(false);
  const wasRead = useRef(false);
  useEffect(() => {
    wasRead.current ||= reading;
    if (until === null || reading) return;
    const left = Math.max(until - Date.now(), wasRead.current ? LAST : 0);
    const timer = setTimeout(() => {
      store.dispatch({ type: "toast-closed", id });
    }, left);
    return () => {
      clearTimeout(timer);
    };
  }, [store, id, until, reading]);
  const looks = {
    onPointerEnter: () => {
      setReading(true);
    },
    onPointerLeave: () => {
      setReading(false);
    },
    onFocus: () => {
      setReading(true);
    },
    onBlur: () => {
      setReading(false);
    },
  };
  return (
    <div
      className={[styles["toast"], styles[toast.kind]].join(" ")}
      data-testid="toast"
      data-kind={toast.kind}
      {...looks}
    >
      <Icon name={ICONS[toast.kind]} size={18} />
      <span className={[styles["words"], "selectable"].join(" ")}>{toast.text}</span>
      <IconButton
        icon="close"
        label="Close this message"
        data-testid="toast-close"
        onClick={() => {
          store.dispatch({ type: "toast-closed", id });
        }}
      />
    </div>
  );
}
