import {
  createContext,
  use,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type ReactNode,
  type RefObject,
} from "react";
import type { Scene } from "../../types/Scene";
import { Sheet, type Wish } from "./sheet";
import styles from "./Stage.module.css";

const StageContext = createContext<Sheet | null>(null);

type StageProps = {
  /** Tells the backend where pictures belong. */
  send: (scene: Scene) => void;
  /** The colour around the tiles. */
  ground: "page" | "stage";
  children: ReactNode;
};

/** Paints the page's ground with a hole wherever a tile shows a picture drawn by the backend. */
export function Stage({ send, ground, children }: StageProps) {
  const [sheet] = useState(() => new Sheet(send));
  const path = useRef<SVGPathElement>(null);
  useLayoutEffect(() => {
    sheet.paintOn(path.current);
    return () => {
      sheet.paintOn(null);
    };
  }, [sheet]);
  useEffect(() => sheet.start(), [sheet]);
  return (
    <StageContext value={sheet}>
      <svg className={styles["sheet"]} aria-hidden="true" focusable="false">
        <path ref={path} className={styles[ground]} fillRule="evenodd" d="" />
      </svg>
      {children}
    </StageContext>
  );
}

/** Lets the backend draw where `ref` is, as long as `wish` is not null. */
export function useStageTile(ref: RefObject<HTMLElement | null>, wish: Wish | null): void {
  const sheet = use(StageContext);
  const shown = wish !== null;
  useLayoutEffect(() => {
    const element = ref.current;
    if (!shown || sheet === null || element === null) return;
    return () => {
      sheet.drop(element);
    };
  }, [sheet, ref, shown]);
  // Every commit may have moved the tile; the sheet itself finds out whether it has.
  useLayoutEffect(() => {
    if (wish !== null && ref.current !== null) sheet?.put(ref.current, wish);
  });
}
