import {
  createContext,
  use,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
  type RefObject,
} from "react";
import type { Host } from "../../host/host";
import type { Scene } from "../../types/Scene";
import { Canvas, type Fault } from "./Canvas";
import { Sheet, type Wish } from "./sheet";
import styles from "./Stage.module.css";

const StageContext = createContext<{ sheet: Sheet; blind: boolean } | null>(null);

const REASONS: Record<Fault, string> = {
  webgl: "The web view of this computer has no WebGL.",
  frames: "The page gets none from the app; close Confab and start it again.",
};

type StageProps = {
  /** Tells the backend where pictures belong. */
  send: (scene: Scene) => void;
  /** Where the page draws pictures itself: what brings them. */
  frames: Host["frames"] | null;
  /** The colour around the tiles. */
  ground: "page" | "stage";
  children: ReactNode;
};

/**
 * Paints the page's ground with a hole wherever a tile shows a picture. It is drawn below: by the
 * backend, or on a canvas of the page.
 */
export function Stage({ send, frames, ground, children }: StageProps) {
  const [sheet] = useState(() => new Sheet(send));
  const [fault, setFault] = useState<Fault | null>(null);
  const path = useRef<SVGPathElement>(null);
  useLayoutEffect(() => {
    sheet.paintOn(path.current);
    return () => {
      sheet.paintOn(null);
    };
  }, [sheet]);
  useEffect(() => sheet.start(), [sheet]);
  const shown = frames === null ? null : fault;
  // Frames may come again as long as there are tiles to show them.
  const blind = shown === "webgl";
  const context = useMemo(() => ({ sheet, blind }), [sheet, blind]);
  return (
    <StageContext value={context}>
      {frames !== null && <Canvas sheet={sheet} frames={frames} onFault={setFault} />}
      <svg className={styles["sheet"]} aria-hidden="true" focusable="false">
        <path ref={path} className={styles[ground]} fillRule="evenodd" d="" />
      </svg>
      <div className={styles["window"]}>
        <div role="status" className={styles["live"]}>
          {shown !== null && (
            <p className={styles["fault"]} data-testid="stage-fault">
              <strong>Pictures cannot be shown.</strong> {REASONS[shown]} Sound and everything else
              work.
            </p>
          )}
        </div>
        <div className={styles["rest"]}>{children}</div>
      </div>
    </StageContext>
  );
}

/** Whether nobody's picture can be shown in this window. */
export function useBlind(): boolean {
  return use(StageContext)?.blind ?? false;
}

/** Lets a picture be drawn where `ref` is, as long as `wish` is not null. */
export function useStageTile(ref: RefObject<HTMLElement | null>, wish: Wish | null): void {
  const sheet = use(StageContext)?.sheet ?? null;
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
