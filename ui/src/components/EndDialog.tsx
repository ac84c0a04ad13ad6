import { useRef } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import styles from "./EndDialog.module.css";

type EndDialogProps = {
  title: string;
  text: string;
  /** What ends the meeting for everybody. */
  end: string;
  onEnd: () => void;
  /** What leaves the others their meeting, where that is possible. */
  leave?: { label: string; onLeave: () => void };
  /** What the button says that changes nothing. */
  stay?: string;
  /** Nothing is to happen. */
  onStay?: () => void;
  /** It was answered, whichever way. */
  onClose: () => void;
};

/** Asks a host before the others lose the room: without this computer the meeting is over for all. */
export function EndDialog({
  title,
  text,
  end,
  onEnd,
  leave,
  stay = "Stay",
  onStay,
  onClose,
}: EndDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const decided = useRef(false);
  const decide = (act: () => void) => () => {
    decided.current = true;
    act();
    dialog.current?.close();
  };
  return (
    <Dialog
      handle={dialog}
      labelledBy="end-title"
      describedBy="end-text"
      data-testid="end-dialog"
      onClose={() => {
        if (!decided.current) onStay?.();
        onClose();
      }}
    >
      <h2 id="end-title" className={styles["title"]}>
        {title}
      </h2>
      <p id="end-text" className={styles["text"]}>
        {text}
      </p>
      <div className={styles["buttons"]}>
        <Button data-testid="end-cancel" look="quiet" onClick={() => dialog.current?.close()}>
          {stay}
        </Button>
        {leave !== undefined && (
          <Button data-testid="end-leave" onClick={decide(leave.onLeave)}>
            {leave.label}
          </Button>
        )}
        <Button data-testid="end-all" look="danger" onClick={decide(onEnd)}>
          {end}
        </Button>
      </div>
    </Dialog>
  );
}
