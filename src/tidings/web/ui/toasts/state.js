import { signal } from "@preact/signals";

/**
 * @typedef {object} Toast
 * @property {string} key a new toast replaces the one with the same key
 * @property {string} icon
 * @property {string} [tone] tide, amber or red: the icon's colour
 * @property {string} title
 * @property {string} [text]
 * @property {{label: string, quiet?: boolean, run: () => void}[]} [actions] each also closes the toast
 */

/** Milliseconds for which a toast is shown, and in which it fades. */
const LIFE = 6000;
const FADE = 120;
/** The most toasts at a time. */
const MOST = 3;

/** The shown toasts, newest first. @type {import("@preact/signals").Signal<readonly (Toast & {leaving?: boolean})[]>} */
export const toasts = signal([]);

/** The remaining time of each toast. @type {Map<string, {left: number, since: number, timer?: ReturnType<typeof setTimeout>}>} */
const clocks = new Map();
let held = false;

/** @param {Toast} toast */
export function toast(toast) {
  remove(toast.key);
  for (const { key } of toasts.value.slice(MOST - 1)) remove(key);
  toasts.value = [toast, ...toasts.value];
  clocks.set(toast.key, { left: LIFE, since: 0 });
  if (!held) run(toast.key);
}

/** Make a handler that shows a refusal. @param {string} title the action that failed */
export const refusedAs =
  (title) =>
  (/** @type {Error} */ { message }) =>
    toast({ key: title, icon: "circle-alert", tone: "red", title, text: message });

export const notSaved = refusedAs("Not saved");

/** @param {string} key */
export function dismiss(key) {
  if (!clocks.has(key)) return;
  stop(key);
  clocks.delete(key);
  toasts.value = toasts.value.map((one) => (one.key === key ? { ...one, leaving: true } : one));
  setTimeout(() => remove(key), FADE);
}

/** Keep the toasts while the pointer or the focus is on them. @param {boolean} is */
export function hold(is) {
  if (held === is) return;
  held = is;
  for (const key of clocks.keys()) is ? stop(key) : run(key);
}

/** @param {string} key */
function remove(key) {
  stop(key);
  clocks.delete(key);
  toasts.value = toasts.value.filter((one) => one.key !== key);
}

/** @param {string} key */
function run(key) {
  const clock = clocks.get(key);
  if (!clock) return;
  clock.since = Date.now();
  clock.timer = setTimeout(() => dismiss(key), clock.left);
}

/** @param {string} key */
function stop(key) {
  const clock = clocks.get(key);
  if (!clock?.timer) return;
  clearTimeout(clock.timer);
  clock.timer = undefined;
  clock.left -= Date.now() - clock.since;
}
