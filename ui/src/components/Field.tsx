import { useId, type ComponentProps, type ReactNode } from "react";
import { Icon } from "./Icon";
import styles from "./Field.module.css";

type FieldProps = Omit<ComponentProps<"input">, "className" | "id" | "onChange" | "children"> & {
  label: string;
  /** A word about what may be entered; gives way to the error. */
  hint?: string | undefined;
  error?: string | undefined;
  onValue: (value: string) => void;
  /** Beside the label, at the right. */
  beside?: ReactNode;
  /** Inside the box, at the right. */
  inside?: ReactNode;
  "data-testid": string;
};

/** A labelled line of text with room for one sentence below it; all of it is a `data-field`. */
export function Field({ label, hint, error, onValue, beside, inside, ...rest }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className={styles["field"]} data-field="">
      <div className={styles["head"]}>
        <label htmlFor={id} className={styles["label"]}>
          {label}
        </label>
        {beside}
      </div>
      <div className={styles["box"]}>
        <input
          autoComplete="off"
          spellCheck={false}
          {...rest}
          id={id}
          className={styles["input"]}
          aria-invalid={error !== undefined}
          aria-describedby={note === undefined ? undefined : noteId}
          onChange={(event) => {
            onValue(event.target.value);
          }}
        />
        {inside}
      </div>
      {note !== undefined && (
        <Note id={noteId} error={error !== undefined} testId={`${rest["data-testid"]}-error`}>
          {note}
        </Note>
      )}
    </div>
  );
}

type NoteProps = { id: string; error: boolean; testId: string; children: string };

function Note({ id, error, testId, children }: NoteProps) {
  if (!error) {
    return (
      <p id={id} className={styles["hint"]}>
        {children}
      </p>
    );
  }
  return (
    <p id={id} className={styles["error"]} role="alert" data-testid={testId}>
      <Icon name="warning" size={16} />
      <span>{children}</span>
    </p>
  );
}
