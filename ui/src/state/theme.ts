export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const KEY = "confab.theme";

export function rememberedTheme(storage: Storage | null): Theme {
  const kept = storage?.getItem(KEY);
  return THEMES.find((theme) => theme === kept) ?? "system";
}

export function rememberTheme(storage: Storage | null, theme: Theme): void {
  storage?.setItem(KEY, theme);
}
