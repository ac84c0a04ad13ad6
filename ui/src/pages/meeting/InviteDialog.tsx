import { useEffect, useRef, useState } from "react";
import { Button, IconButton } from "../../components/Button";
import { copyText } from "../../components/clipboard";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { useStore } from "../../components/store";
import type { InvitationForms } from "../../types/InvitationForms";
import styles from "./InviteDialog.module.css";

/** How long a button says that it copied, milliseconds. */
const SAID = 2_500;

/** Every form of an invitation to the room that one is in. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const dialog = useRef<HTMLDialogElement>(null);
  const [forms, setForms] = useState<InvitationForms | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [copied, setCopied] = useState<keyof InvitationForms | null>(null);

  useEffect(() => {
    let gone = false;
    void store.invitation().then((made) => {
      if (gone) return;
      if (typeof made === "string") setFault(made);
      else setForms(made);
    });
    return () => {
      gone = true;
    };
  }, [store]);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => {
      setCopied(null);
    }, SAID);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);

  const copy = async (which: keyof InvitationForms) => {
    const done = forms !== null && (await copyText(forms[which]));
    setCopied(done ? which : null);
    if (!done) {
      setFault("This could not be copied. Select the text and copy it with the keyboard.");
    }
  };
  const row = (which: "link" | "page", label: string, hint: string) => (
    <Field
      label={label}
      name={which}
      readOnly
      value={forms?.[which] ?? ""}
      hint={hint}
      data-testid={`invite-${which}`}
      onFocus={(event) => {
        event.target.select();
      }}
      onValue={() => undefined}
      inside={
        <span className={styles["copy"]}>
          <IconButton
            icon={copied === which ? "check" : "copy"}
            label={`Copy: ${label}`}
            disabled={forms === null}
            data-testid={`invite-${which}-copy`}
            onClick={() => void copy(which)}
          />
        </span>
      }
    />
  );
  return (
    <Dialog
      handle={dialog}
      labelledBy="invite-title"
      describedBy="invite-text"
      data-testid="invite-dialog"
      onClose={onClose}
    >
      <h2 id="invite-title" className={styles["title"]}>
        Invite others
      </h2>
      <p id="invite-text" className={styles["text"]}>
        Whoever has one of these comes into this room. A passcode is not in them.
      </p>
      <div className={styles["rows"]}>
        {row("link", "Link that opens Confab", "For people who have Confab.")}
        {row(
          "page",
          "Web page that opens Confab",
          "For chats that only make web addresses into links.",
        )}
      </div>
      {fault !== null && (
        <p className={styles["fault"]} role="alert" data-testid="invite-fault">
          {fault}
        </p>
      )}
      <p className="sr-only" role="status">
        {copied === null ? "" : "Copied"}
      </p>
      <div className={styles["buttons"]}>
        <Button
          icon={copied === "message" ? "check" : "copy"}
          disabled={forms === null}
          data-testid="invite-message-copy"
          onClick={() => void copy("message")}
        >
          {copied === "message" ? "Copied" : "Copy as a message"}
        </Button>
        <Button look="primary" data-testid="invite-close" onClick={() => dialog.current?.close()}>
          Close
        </Button>
      </div>
    </Dialog>
  );
}
