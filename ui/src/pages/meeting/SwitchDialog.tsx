import { useRef, useState, type SyntheticEvent } from "react";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { usePageState, useStore } from "../../components/store";
import { byNumber, checkSwitch, otherRoom, type SwitchForm } from "../../state/switching";
import styles from "./InviteDialog.module.css";

/** Asks for the room to go to. This one is left when that one lets us in. */
export function SwitchDialog({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const { app } = usePageState();
  const dialog = useRef<HTMLDialogElement>(null);
  const [form, setForm] = useState<SwitchForm>({ room: "", privateMapKey: "" });
  const [error, setError] = useState<string | null>(null);
  const number = byNumber(app);
  const edit = (change: Partial<SwitchForm>) => {
    setForm({ ...form, ...change });
    setError(null);
  };
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    const wrong = checkSwitch(app, form);
    setError(wrong);
    if (wrong !== null) {
      dialog.current?.querySelector<HTMLInputElement>('[name="otherRoom"]')?.focus();
      return;
    }
    if (await store.switchRoom(otherRoom(app, form))) dialog.current?.close();
  };
  return (
    <Dialog
      handle={dialog}
      labelledBy="switch-title"
      describedBy="switch-text"
      data-testid="switch-dialog"
      onClose={onClose}
    >
      <form noValidate aria-label="Go to another room" onSubmit={(event) => void submit(event)}>
        <h2 id="switch-title" className={styles["title"]}>
          Go to another room
        </h2>
        <p id="switch-text" className={styles["text"]}>
          Camera and microphone stay as they are. You leave this room when the other one lets you
          in.
        </p>
        <div className={styles["rows"]}>
          <Field
            label={number ? "Number of the other room" : "Name of the other room"}
            name="otherRoom"
            inputMode={number ? "numeric" : "text"}
            value={form.room}
            error={error ?? undefined}
            data-testid="switch-room"
            onValue={(room) => {
              edit({ room });
            }}
          />
          <Field
            label="PrivateMapKey"
            name="otherPrivateMapKey"
            type="password"
            placeholder="Where the server asks for permissions"
            value={form.privateMapKey}
            data-testid="switch-private-map-key"
            onValue={(privateMapKey) => {
              edit({ privateMapKey });
            }}
          />
        </div>
        <div className={styles["buttons"]}>
          <Button look="quiet" data-testid="switch-close" onClick={() => dialog.current?.close()}>
            Stay here
          </Button>
          <Button type="submit" look="primary" data-testid="switch-go">
            Go there
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
