import { computed, effect, signal } from "@preact/signals";
import { keep, recall } from "../page/storage.js";

/** @typedef {import("./fold.js").Notification} Item */

/** @type {import("@preact/signals").Signal<NotificationPermission | "missing">} */
const permission = signal("Notification" in globalThis ? Notification.permission : "missing");
/** Desktop notifications are wanted on this device. */
const wanted = signal(recall("desktop", false));

/**
 * The state of desktop notifications. "insecure": the page's origin may not show any. "missing": the browser cannot.
 * "apart": without locks the tabs cannot agree which of them shows a notification. "denied": the person has refused.
 * @type {import("@preact/signals").ReadonlySignal<"insecure" | "missing" | "apart" | "denied" | "off" | "on">}
 */
export const desktop = computed(() => {
  if (!isSecureContext) return "insecure";
  if (!navigator.locks) return "apart";
  if (permission.value === "missing" || permission.value === "denied") return permission.value;
  return wanted.value && permission.value === "granted" ? "on" : "off";
});

/** Ask for the browser's permission. Call this only after a click. */
export async function turnOn() {
  permission.value = await Notification.requestPermission();
  if (permission.value === "granted") want(true);
}

export const turnOff = () => want(false);

/** @param {boolean} is */
function want(is) {
  wanted.value = is;
  keep("desktop", is || undefined);
}

/** The tab with the first lock shows notifications. Visible tabs share the second; while it is held none are shown. */
const SHOWS = "tidings.desktop";
const SEEN = "tidings.seen";

const hidden = signal(document.hidden);
/** The page is being left. A page that holds a lock is not kept in the back/forward cache. */
const away = signal(false);

/** The notifications are shown by this tab. */
let chosen = false;

/** @param {string} name @param {"shared" | "exclusive"} mode @param {(is: boolean) => void} [has] @returns {() => void} gives the lock back */
function hold(name, mode, has = () => {}) {
  const end = new AbortController();
  const held = () =>
    new Promise((resolve) => {
      has(true);
      end.signal.addEventListener("abort", () => (has(false), resolve(undefined)));
    });
  navigator.locks.request(name, { mode, signal: end.signal }, held).catch(() => {}); // the request was aborted
  return () => end.abort();
}

const stands = computed(() => desktop.value === "on" && !away.value);

/** The desktop notifications that this tab has shown, by offset. @type {Map<string, Notification>} */
const all = new Map();

/** Close the desktop notification with an offset. @param {string} offset */
export function close(offset) {
  all.get(offset)?.close();
  all.delete(offset);
}

/**
 * Show a desktop notification, unless a tab is visible: there a toast is shown.
 * @param {Item} item
 * @param {() => void} open
 */
export async function show({ offset, title, text }, open) {
  if (desktop.value !== "on" || !(await turn())) return;
  try {
    const shown = new Notification(title, { body: text, tag: offset });
    all.set(offset, shown);
    shown.onclick = () => {
      window.focus();
      close(offset);
      open();
    };
  } catch {
    permission.value = "missing"; // phones need a service worker for it
  }
}

/** Check if this tab is the one to show a notification. */
async function turn() {
  if (!chosen) return false;
  const { held = [] } = await navigator.locks.query();
  return !held.some(({ name }) => name === SEEN);
}

/** Agree with the other tabs which one of them shows desktop notifications. */
export function start() {
  addEventListener("storage", ({ key }) => {
    if (key !== "tidings.desktop") return;
    wanted.value = recall("desktop", false);
    if ("Notification" in globalThis) permission.value = Notification.permission;
  });
  document.addEventListener("visibilitychange", () => (hidden.value = document.hidden));
  addEventListener("pagehide", () => (away.value = true));
  addEventListener("pageshow", () => (away.value = false));
  effect(() => (stands.value ? hold(SHOWS, "exclusive", (is) => (chosen = is)) : undefined));
  effect(() => (stands.value && !hidden.value ? hold(SEEN, "shared") : undefined));
}
