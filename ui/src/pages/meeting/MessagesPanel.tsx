import { useRef, useState, type SyntheticEvent } from "react";
import { Button } from "../../components/Button";
import { Check } from "../../components/Check";
import { Field } from "../../components/Field";
import { Panel } from "../../components/Panel";
import { useStore } from "../../components/store";
import { checkCmdId, missedWords, type Message } from "../../state/messages";
import styles from "./MessagesPanel.module.css";

type MessagesPanelProps = {
  messages: readonly Message[];
  /** What people are called, by user ID. */
  names: ReadonlyMap<string, string>;
  onClose: () => void;
};

/** Sends messages of the app's own, for whoever tries them out, and lists what came of the others. */
export function MessagesPanel({ messages, names, onClose }: MessagesPanelProps) {
  const nameOf = (userId: string) => names.get(userId) || userId;
  return (
    <Panel
      id="messages"
      title="Custom messages"
      closes="Close the messages"
      testIds={{ panel: "messages-panel", close: "messages-close", body: "messages-body" }}
      onClose={onClose}
    >
      <MessageForm />
      <div role="log" aria-label="Messages of the others" data-testid="messages">
        {messages.length === 0 && <p className={styles["none"]}>Nothing has come yet.</p>}
        <ul>
          {messages.map((message) => (
            <li key={message.id} className={styles["message"]} data-kind={message.kind}>
              {message.kind === "missed" ? (
                <p className={styles["missed"]}>
                  {missedWords(message.missed, message.cmdId, nameOf(message.userId))}
                </p>
              ) : (
                <>
                  <p className={styles["head"]}>
                    <span className={styles["name"]} title={message.userId}>
                      {nameOf(message.userId)}
                    </span>
                    <span className={styles["number"]}>
                      id {message.cmdId} · no. {message.seq}
                    </span>
                  </p>
                  {!message.isText && <p className={styles["number"]}>No text, in base64:</p>}
                  <p className={[styles["said"], "selectable"].join(" ")}>{message.said}</p>
                </>
              )}
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function MessageForm() {
  const store = useStore();
  const form = useRef<HTMLFormElement>(null);
  const [cmdId, setCmdId] = useState("1");
  const [error, setError] = useState<string | null>(null);
  const [text, setText] = useState("");
  const [reliable, setReliable] = useState(true);
  const [sent, setSent] = useState(0);
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    const wrong = checkCmdId(cmdId);
    setError(wrong);
    if (wrong !== null) {
      form.current?.querySelector<HTMLInputElement>('[name="cmdId"]')?.focus();
      return;
    }
    if (!(await store.sendMessage(Number(cmdId), text, reliable))) return;
    setText("");
    setSent((before) => before + 1);
  };
  return (
    <form
      ref={form}
      noValidate
      className={styles["form"]}
      aria-label="Send a message"
      onSubmit={(event) => void submit(event)}
    >
      <Field
        label="Message id"
        name="cmdId"
        inputMode="numeric"
        hint="What it is about, 1 to 10."
        value={cmdId}
        error={error ?? undefined}
        data-testid="message-id"
        onValue={(typed) => {
          setCmdId(typed);
          setError(null);
        }}
      />
      <Field
        label="Text"
        name="text"
        placeholder="At most 1000 bytes"
        value={text}
        data-testid="message-text"
        onValue={setText}
      />
      <Check
        label="Reliable and in order"
        hint="Sent again until it comes."
        checked={reliable}
        data-testid="message-reliable"
        onValue={setReliable}
      />
      <div className={styles["foot"]}>
        <Button type="submit" look="primary" data-testid="message-send">
          Send to everybody
        </Button>
        <span role="status" className={styles["number"]} data-testid="messages-sent">
          {sent === 0 ? "" : `${sent} sent`}
        </span>
      </div>
    </form>
  );
}
