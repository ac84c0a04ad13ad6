import { IconChoice } from "./Choice";
import { useTheme } from "./theme";

const OPTIONS = [
  { value: "light", label: "Light", icon: "sun", testId: "theme-light" },
  { value: "system", label: "Like the system", icon: "system", testId: "theme-system" },
  { value: "dark", label: "Dark", icon: "moon", testId: "theme-dark" },
] as const;

export function ThemeSwitch() {
  const [theme, choose] = useTheme();
  return <IconChoice legend="Colours" options={OPTIONS} value={theme} onValue={choose} />;
}
