/** Light or dark: as the person chose, else as their system has it. */

/** What was chosen. */
export type Theme = "light" | "dark";

const kept = "atoll-theme";
const darkClass = "pf-v6-theme-dark";

/** The theme that counts now. */
export function keptTheme(): Theme {
  const chosen = localStorage.getItem(kept);
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Shows a theme. */
export function applyTheme(theme: Theme): void {
  document.documentElement.classList.toggle(darkClass, theme === "dark");
}

/** Shows a theme and keeps it for next time. */
export function chooseTheme(theme: Theme): void {
  localStorage.setItem(kept, theme);
  applyTheme(theme);
}
