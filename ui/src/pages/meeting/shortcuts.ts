import { useEffect, useRef } from "react";

type Shortcuts = {
  onMicrophone: () => void;
  onCamera: () => void;
  onPeople: () => void;
  onEscape: () => void;
};

/** Ctrl (or Command) with D, E or P works anywhere in a meeting, and so does Escape. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // Whatever is open above the meeting takes the key first.
      if (event.key === "Escape" && !event.defaultPrevented) latest.current.onEscape();
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
