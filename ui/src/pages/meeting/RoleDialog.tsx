import { useRef, useState, type SyntheticEvent } from "react";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { useStore } from "../../components/store";
import type { Controls } from "../../state/meeting";
import styles from "./InviteDialog.module.css";

type RoleDialogProps = { role: NonNullable<Controls["role"]>; onClose: () => void };

/** Asks for the permission that lets somebody go on the stage, or off it. */
export function RoleDialog({ role, onClose }: RoleDialogProps) {
  const store = useStore();
  const dialog = useRef<HTMLDialogElement>(null);
  const [privateMapKey, setPrivateMapKey] = useState("");
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (await store.switchRole(privateMapKey)) dialog.current?.close();
  };
  return (
    <Dialog
      handle={dialog}
      labelledBy="role-title"
      describedBy="role-text"
      data-testid="role-dialog"
      onClose={onClose}
    >
      <form noValidate aria-label={role.words} onSubmit={(event) => void submit(event)}>
        <h2 id="role-title" className={styles["title"]}>
          {role.words}
        </h2>
        <p id="role-text" className={styles["text"]}>
          {role.title}. Leave the field empty unless the server asks for a permission.
        </p>
        <Field
          label="PrivateMapKey"
          name="rolePrivateMapKey"
          type="password"
          placeholder="A fresh one"
          hint="From whoever runs the server."
          value={privateMapKey}
          data-testid="role-private-map-key"
          onValue={setPrivateMapKey}
        />
        <div className={styles["buttons"]}>
          <Button look="quiet" data-testid="role-close" onClick={() => dialog.current?.close()}>
            Stay as you are
          </Button>
          <Button type="submit" look="primary" data-testid="role-go">
            {role.words}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
