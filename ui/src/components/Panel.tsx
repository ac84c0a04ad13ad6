import { useEffect, useRef, type ReactNode } from "react";
import { IconButton } from "./Button";
import styles from "./Panel.module.css";

type PanelProps = {
  id: string;
  title: ReactNode;
  /** What the button that closes it is called. */
  closes: string;
  /** Names for tests: of the panel, of that button, of what scrolls. */
  testIds: { panel: string; close: string; body: string };
  onClose: () => void;
  children: ReactNode;
};

/** What stands beside the gallery. It takes the focus when it opens. */
export function Panel({ id, title, closes, testIds, onClose, children }: PanelProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <aside
      id={id}
      className={styles["panel"]}
      aria-labelledby={`${id}-title`}
      data-testid={testIds.panel}
    >
      <header className={styles["head"]}>
        <h2 ref={heading} id={`${id}-title`} tabIndex={-1} className={styles["title"]}>
          {title}
        </h2>
        <IconButton icon="close" label={closes} data-testid={testIds.close} onClick={onClose} />
      </header>
      {/* Scrolls by keyboard too, so it can be focused. */}
      <div
        className={styles["body"]}
        role="region"
        tabIndex={0}
        aria-labelledby={`${id}-title`}
        data-testid={testIds.body}
      >
        {children}
      </div>
    </aside>
  );
}
