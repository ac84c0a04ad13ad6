import { useEffect, useRef } from "react";
import { Button } from "../../components/Button";
import { useStore } from "../../components/store";
import styles from "./EndDialog.module.css";

/** Asks a host who leaves: without the host's computer the meeting is over for all. */
export function EndDialog({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const decide = (how: "leave" | "end") => {
    dialog.current?.close();
    void store.leave(how);
  };
  return (
    <dialog
      ref={dialog}
      className={styles["dialog"]}
      aria-labelledby="end-title"
      aria-describedby="end-text"
      data-testid="end-dialog"
      onClose={onClose}
    >
      <h2 id="end-title" className={styles["title"]}>
        Leave, or end the meeting?
      </h2>
      <p id="end-text" className={styles["text"]}>
        This computer hosts the room. If you only leave, the others can go on while the app stays
        open.
      </p>
      <div className={styles["buttons"]}>
        <Button data-testid="end-cancel" look="quiet" onClick={() => dialog.current?.close()}>
          Stay
        </Button>
        <Button
          data-testid="end-leave"
          onClick={() => {
            decide("leave");
          }}
        >
          Leave, keep hosting
        </Button>
        <Button
          data-testid="end-all"
          look="danger"
          onClick={() => {
            decide("end");
          }}
        >
          End for everyone
        </Button>
      </div>
    </dialog>
  );
}
