import { effect, signal } from "@preact/signals";
import { keep, recall } from "./storage.js";

/** @typedef {"light" | "dark" | "system"} Theme */

/** @type {import("@preact/signals").Signal<Theme>} */
export const theme = signal(recall("theme", "system"));

/** Keep the theme on this device and show it. */
export function start() {
  effect(() => {
    keep("theme", theme.value === "system" ? undefined : theme.value);
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
}
