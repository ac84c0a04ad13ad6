import { useEffect, useRef } from "react";
import { Button } from "../../components/Button";
import type { Choice } from "../../state/host";
import styles from "./Host.module.css";

type PersonMenuProps = {
  id: string;
  name: string;
  choices: readonly Choice[];
  onChoice: (choice: Choice) => void;
};

/** What may be done about one person. */
export function PersonMenu({ id, name, choices, onChoice }: PersonMenuProps) {
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
