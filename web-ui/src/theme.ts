// Light or dark: as the system has it, or as people have chosen.

import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

const KEPT = "theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const kept = localStorage.getItem(KEPT);
const system = signal(dark.matches);

export const theme = signal<Theme>(kept === "light" || kept === "dark" ? kept : "auto");

dark.addEventListener("change", () => {
  system.value = dark.matches;
});

effect(() => {
  const night = theme.value === "auto" ? system.value : theme.value === "dark";
  document.documentElement.dataset.theme = night ? "dark" : "light";
});

export function choose(wanted: Theme): void {
  localStorage.setItem(KEPT, wanted);
  theme.value = wanted;
}
