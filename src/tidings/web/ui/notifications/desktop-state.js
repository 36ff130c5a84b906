import { computed, effect, signal } from "@preact/signals";
import { keep, recall } from "../page/storage.js";

/** @typedef {import("./fold.js").Notification} Item */

/** @type {import("@preact/signals").Signal<NotificationPermission | "missing">} */
const permission = signal("Notification" in globalThis ? Notification.permission : "missing");
/** Whether this device wants them. */
const wanted = signal(recall("desktop", false));

/**
 * insecure: the page's origin may not show any; missing: nor can this browser; apart: without locks, its tabs cannot
 * agree which one of them shows it; denied: somebody said no.
 * @type {import("@preact/signals").ReadonlySignal<"insecure" | "missing" | "apart" | "denied" | "off" | "on">}
 */
export const desktop = computed(() => {
  if (!isSecureContext) return "insecure";
  if (!navigator.locks) return "apart";
  if (permission.value === "missing" || permission.value === "denied") return permission.value;
  return wanted.value && permission.value === "granted" ? "on" : "off";
});

/** Ask the browser. Call it after a click, never before. */
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

/** Who has this lock shows them; who is looked at shares that one, and then nobody does. */
const SHOWS = "tidings.desktop";
const SEEN = "tidings.seen";

const hidden = signal(document.hidden);
/** A page with a lock is not kept in the back/forward cache. */
const away = signal(false);

/** Whether this tab is the one. */
let chosen = false;

/** @param {string} name @param {"shared" | "exclusive"} mode @param {(is: boolean) => void} [has] @returns {() => void} give it back */
function hold(name, mode, has = () => {}) {
  const end = new AbortController();
  const held = () =>
    new Promise((resolve) => {
      has(true);
      end.signal.addEventListener("abort", () => (has(false), resolve(undefined)));
    });
  navigator.locks.request(name, { mode, signal: end.signal }, held).catch(() => {}); // it has left the line
  return () => end.abort();
}

const stands = computed(() => desktop.value === "on" && !away.value);

/**
 * Show it on the desktop, unless one of the tabs is looked at, where there is a toast.
 * @param {Item} item
 * @param {() => void} open
 */
export async function show({ offset, title, text }, open) {
  if (desktop.value !== "on" || !(await turn())) return;
  try {
    const shown = new Notification(title, { body: text, tag: offset });
    shown.onclick = () => {
      window.focus();
      shown.close();
      open();
    };
  } catch {
    permission.value = "missing"; // phones show none without a service worker
  }
}

/** Whether it is this tab's turn. */
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
