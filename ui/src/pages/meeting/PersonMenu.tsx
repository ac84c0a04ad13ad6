import { useEffect, useRef } from "react";
import { Button } from "../../components/Button";
import styles from "./Host.module.css";

type Entry = { id: string; label: string; question?: string };

type PersonMenuProps<Choice extends Entry> = {
  id: string;
  /** Whom it is about. */
  name: string;
  choices: readonly Choice[];
  onChoice: (choice: Choice) => void;
};

/** What may be done about one person, or about everybody. */
export function PersonMenu<Choice extends Entry>({
  id,
  name,
  choices,
  onChoice,
}: PersonMenuProps<Choice>) {
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // It may open below the edge of the list, where nobody would see all of it.
    menu.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <div
      ref={menu}
      id={id}
      role="group"
      aria-label={`What to do with ${name}`}
      className={styles["menu"]}
    >
      {choices.map((choice) => (
        <Button
          key={choice.id}
          look={choice.question === undefined ? "secondary" : "quiet"}
          data-testid={`do-${choice.id}`}
          onClick={() => {
            onChoice(choice);
          }}
        >
          {choice.label}
        </Button>
      ))}
    </div>
  );
}
