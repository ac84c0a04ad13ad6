import { useEffect, useState } from "react";
import { rememberedTheme, rememberTheme, type Theme } from "../state/theme";

const DARK = "(prefers-color-scheme: dark)";

/** Puts the theme on the document: at once, and whenever the system's changes. */
export function applyTheme(theme: Theme): void {
  const dark = theme === "system" ? window.matchMedia(DARK).matches : theme === "dark";
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

/** The chosen theme, and how to choose another. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(() => rememberedTheme(localStorage));
  useEffect(() => {
    applyTheme(theme);
    if (theme !== "system") return;
    const query = window.matchMedia(DARK);
    const follow = () => {
      applyTheme("system");
    };
    query.addEventListener("change", follow);
    return () => {
      query.removeEventListener("change", follow);
    };
  }, [theme]);
  const choose = (next: Theme) => {
    rememberTheme(localStorage, next);
    setTheme(next);
  };
  return [theme, choose];
}
