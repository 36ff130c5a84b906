import { computed, signal } from "@preact/signals";
import { Problem, Tidings, Unreachable } from "../../client/index.js";
import { soon } from "./frames.js";

/** @typedef {import("../../client/index.js").Tidings["connection"]} Connection */

/** @type {import("@preact/signals").Signal<Connection>} */
export const connection = signal({ phase: "connecting", failures: 0, replayed: 0, topics: 0 });

/** Whether this device says it has a network. */
export const networked = signal(navigator.onLine);

/**
 * What the shell says of the connection. "connecting" is the first time only. A break shorter than a second is no
 * news, nor is the moment in which the set of topics changes.
 * @type {import("@preact/signals").Signal<"connecting" | "live" | "lost" | "back">}
 */
export const standing = signal("connecting");

export const offline = computed(() => standing.value === "lost" && !networked.value);

/** Milliseconds before a break is news, and for which its end is. */
const GRACE = 1000;
const BACK = 4000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let grace;

export const tidings = new Tidings("", { onConnection: (now) => soon(() => take(now)) });

/** @param {Connection} now */
function take(now) {
  connection.value = { ...now };
  if (now.phase === "open") {
    clearTimeout(grace);
    grace = undefined;
    if (standing.value === "connecting") standing.value = "live";
    if (standing.value === "lost") {
      standing.value = "back";
      setTimeout(() => standing.value === "back" && (standing.value = "live"), BACK);
    }
    for (const resolve of waiting.splice(0)) resolve();
  } else if (now.phase !== "closed" && (standing.value !== "connecting" || now.failures > 0)) {
    grace ??= setTimeout(() => (standing.value = "lost"), standing.value === "connecting" ? 0 : GRACE);
  }
}

/** @type {(() => void)[]} */
const waiting = [];

/** Resolves when the connection opens next, or after two seconds: there may be no connection to wait for yet. */
function reachable() {
  return new Promise((resolve) => {
    waiting.push(() => resolve(undefined));
    setTimeout(resolve, 2000);
  });
}

/**
 * Read a topic from its earliest event and go on live. The history comes in pages, so a conversation of a hundred
 * answers needs no hundred topics on the connection.
 *
 * @param {string} topic
 * @param {import("../../client/tidings.js").Reader} reader its `onEvents` is called at least once, for the history
 * @returns {Promise<boolean>} the history was read; false: there is no such topic
 * @throws {Problem} anything else the server refused
 */
export async function follow(topic, reader) {
  for (let after = ""; ;) {
    const page = await patiently(() => tidings.read(topic, after)).catch(unlessMissing);
    if (!page) return false;
    reader.onEvents(page.events);
    after = page.next;
    if (!page.up_to_date) continue;
    if (page.closed) reader.onEnd?.();
    else tidings.subscribe(topic, reader, after);
    return true;
  }
}

/** @param {unknown} error @returns {null} */
function unlessMissing(error) {
  if (error instanceof Problem && error.status === 404) return null;
  throw error;
}

/**
 * Ask until there is an answer: what only the way or the server's health stood against is asked again.
 * @template T
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 * @throws {Problem} what the server refused
 */
export async function patiently(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(
        error instanceof Unreachable ||
        (error instanceof Problem && (error.status >= 500 || error.status === 429))
      ))
        throw error;
      await reachable();
    }
  }
}

addEventListener("online", () => {
  networked.value = true;
  if (tidings.connection.phase !== "open") tidings.reconnect();
});
addEventListener("offline", () => (networked.value = false));
// A page that comes back from the back/forward cache has a connection that died while it was away.
addEventListener("pageshow", (event) => event.persisted && tidings.reconnect());
// A hidden tab's timers may be slowed to one a minute.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && tidings.connection.phase === "waiting") tidings.reconnect();
});
