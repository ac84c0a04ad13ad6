import { useEffect, useRef } from "react";

type Shortcuts = { onMicrophone: () => void; onCamera: () => void; onPeople: () => void };

/** Ctrl (or Command) with D, E or P works anywhere in a meeting. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.repeat)
        return;
      const { onMicrophone, onCamera, onPeople } = latest.current;
      const action = { d: onMicrophone, e: onCamera, p: onPeople }[event.key.toLowerCase()];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKey);
    return () => {
      window.removeEventListener("keydown", onKey);
    };
  }, []);
}
