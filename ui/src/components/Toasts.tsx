import { useEffect } from "react";
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

/** Short messages above the bottom bar. They go by themselves, or when closed. */
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
  useEffect(() => {
    const timer = setTimeout(() => {
      store.dispatch({ type: "toast-closed", id });
    }, until - Date.now());
    return () => {
      clearTimeout(timer);
    };
  }, [store, id, until]);
  return (
    <div
      className={[styles["toast"], styles[toast.kind]].join(" ")}
      data-testid="toast"
      data-kind={toast.kind}
    >
      <Icon name={ICONS[toast.kind]} size={18} />
      <span className={styles["words"]}>{toast.text}</span>
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
