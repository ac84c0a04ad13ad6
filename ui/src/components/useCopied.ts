import { useEffect, useState } from "react";

/** How long a button says that it copied, milliseconds. */
const SAID = 2_500;

/** What was copied a moment ago, for the button that says so, and a way to say it; null is nothing. */
export function useCopied<What>(): [What | null, (what: What | null) => void] {
  const [copied, setCopied] = useState<What | null>(null);
  useEffect(() => {
    if (copied === null) return;
    const timer = setTimeout(() => {
      setCopied(null);
    }, SAID);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  return [copied, setCopied];
}
