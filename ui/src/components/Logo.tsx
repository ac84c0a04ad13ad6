import mark from "../../../icons/confab.svg";
import styles from "./Logo.module.css";

export function Logo({ words = true }: { words?: boolean }) {
  return (
    <span className={styles["logo"]}>
      <img src={mark} width={28} height={28} alt={words ? "" : "Confab"} draggable={false} />
      {words && <span className={styles["name"]}>Confab</span>}
    </span>
  );
}
