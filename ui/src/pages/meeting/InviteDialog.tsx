import { useEffect, useRef, useState } from "react";
import { Button, IconButton } from "../../components/Button";
import { Check } from "../../components/Check";
import { copyText } from "../../components/clipboard";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { usePageState, useStore } from "../../components/store";
import { useCopied } from "../../components/useCopied";
import { roomTools } from "../../state/host";
import { invitingWords } from "../../state/invitation";
import { hostingOf } from "../../state/state";
import type { InvitationForms } from "../../types/InvitationForms";
import styles from "./InviteDialog.module.css";

/** Every form of an invitation to the room that one is in. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const store = useStore();
  const state = usePageState();
  const dialog = useRef<HTMLDialogElement>(null);
  const [once, setOnce] = useState(false);
  /** Which ticket it is, where it is for one person: each is made when it is asked for. */
  const [ticket, setTicket] = useState(0);
  const [forms, setForms] = useState<InvitationForms | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [copied, setCopied] = useCopied<keyof InvitationForms>();
  const host = roomTools(state.app) !== null;

  useEffect(() => {
    let gone = false;
    void store.invitation(once).then((made) => {
      if (gone) return;
      const failed = typeof made === "string";
      setForms(failed ? null : made);
      setFault(failed ? made : null);
    });
    return () => {
      gone = true;
    };
  }, [store, once, ticket]);

  const copy = async (which: keyof InvitationForms) => {
    const done = forms !== null && (await copyText(forms[which]));
    setCopied(done ? which : null);
    if (!done) {
      setFault("This could not be copied. Select the text and copy it with the keyboard.");
    }
  };
  /** What stood there is for somebody else. */
  const renew = (change: () => void) => {
    setForms(null);
    setCopied(null);
    change();
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
        {invitingWords(once, hostingOf(state)?.passcode === true)}
      </p>
      <div className={styles["rows"]}>
        {host && (
          <Check
            label="For one person, once"
            hint="They need no passcode and do not wait."
            checked={once}
            data-testid="invite-once"
            onValue={(on) => {
              renew(() => {
                setOnce(on);
              });
            }}
          />
        )}
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
        {once && (
          <Button
            data-testid="invite-another"
            onClick={() => {
              renew(() => {
                setTicket(ticket + 1);
              });
            }}
          >
            For another person
          </Button>
        )}
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
