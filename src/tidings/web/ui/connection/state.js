import { computed, signal } from "@preact/signals";
import { Problem, Tidings, newKey } from "../../client/index.js";
import { soon } from "../page/frames.js";
import { serverRoot } from "../page/root.js";
import { toast } from "../toasts/state.js";

/** The client, which shows a toast when the server asks to slow down. Messages show that themselves. */
class Server extends Tidings {
  /** Keys of the events that are being published. @type {Set<string | undefined>} */
  #acts = new Set();

  /** @override @type {Tidings["publish"]} */
  publish(topic, data, options = {}) {
    if (options.transient || options.type === "room.read") return super.publish(topic, data, options);
    const key = options.key ?? newKey();
    this.#acts.add(key);
    return super.publish(topic, data, { ...options, key }).finally(() => this.#acts.delete(key));
  }

  /** @override @type {Tidings["request"]} */
  async request(method, path, options) {
    try {
      return await super.request(method, path, options);
    } catch (error) {
      if (error instanceof Problem && error.status === 429 && this.#acts.has(options?.key))
        toast({ key: "slowed", icon: "clock", tone: "amber", title: "Waiting", text: error.message });
      throw error;
    }
  }
}

export const tidings = new Server(serverRoot);

/** @type {import("@preact/signals").Signal<import("../../client/index.js").Connection>} */
export const connection = signal(tidings.connection);

/** The number of events that were published during the last break and came after it. */
export const replayed = signal(0);

/** The device reports a network. */
export const networked = signal(navigator.onLine);

/**
 * The state of the connection, as the page shows it. "connecting" occurs only at the start. A break shorter than a
 * second is not shown, and neither is a new connection for another set of topics.
 * @type {import("@preact/signals").Signal<"connecting" | "live" | "lost" | "back">}
 */
export const connectionStatus = signal("connecting");

export const offline = computed(() => connectionStatus.value === "lost" && !networked.value);

/** Milliseconds until a break is shown, and for which its end is shown. */
const GRACE = 1000;
const BACK = 4000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let grace;

/** Seconds by which this clock is ahead of the server's, at most: the smallest difference seen so far. */
let ahead = Infinity;
let broken = true;
let mendedAt = Infinity;

/** The best estimate of the server's time, in Unix seconds. The server's clock may differ from this one. */
export const serverTime = () => Date.now() / 1000 - (Number.isFinite(ahead) ? ahead : 0);

/**
 * Subscribe, and count the events that come after a break.
 * @param {string} topic
 * @param {import("../../client/index.js").SubscribeOptions} options
 */
export function subscribe(topic, options) {
  return tidings.subscribe(topic, {
    ...options,
    onEvents: (events) => {
      const now = Date.now() / 1000;
      for (const { offset, time } of events) {
        ahead = Math.min(ahead, now - time);
        if (offset !== null && time + ahead < mendedAt) replayed.value += 1;
      }
      options.onEvents?.(events);
    },
  });
}

/** Note breaks and their ends. A new connection for another set of topics is no break. @param {string} phase */
function mend(phase) {
  if (phase === "waiting") broken = true;
  if (phase !== "open" || !broken) return;
  broken = false;
  mendedAt = Date.now() / 1000;
  replayed.value = 0;
}

/** @param {import("../../client/index.js").Connection} now */
function take(now) {
  connection.value = now;
  if (now.phase === "open") {
    clearTimeout(grace);
    grace = undefined;
    if (connectionStatus.value === "connecting") connectionStatus.value = "live";
    if (connectionStatus.value === "lost") {
      connectionStatus.value = "back";
      setTimeout(() => connectionStatus.value === "back" && (connectionStatus.value = "live"), BACK);
    }
  } else if (now.phase !== "closed" && (connectionStatus.value !== "connecting" || now.failures > 0)) {
    grace ??= setTimeout(() => (connectionStatus.value = "lost"), connectionStatus.value === "connecting" ? 0 : GRACE);
  }
}

/**
 * Read a topic from its earliest event, then follow it. The history comes in pages, so that a conversation of a hundred
 * answers does not need a hundred topics on the connection.
 *
 * @param {string} topic
 * @param {import("../../client/index.js").SubscribeOptions} reader its `onEvents` is called at least once, for the history
 * @returns {Promise<import("../../client/index.js").Subscription | "closed" | "missing">} resolved when the history was read
 * @throws {Problem} the server refused for another reason
 */
export async function follow(topic, reader) {
  for (let after = "earliest"; ;) {
    const page = await tidings.read(topic, after).catch(unlessMissing);
    if (!page) return "missing";
    reader.onEvents?.(page.events);
    after = page.next;
    if (page.up_to_date) return page.closed ? "closed" : subscribe(topic, { ...reader, after });
  }
}

/** @param {unknown} error @returns {null} */
function unlessMissing(error) {
  if (error instanceof Problem && error.status === 404) return null;
  throw error;
}

/** Show the state of the connection. */
export function start() {
  tidings.addEventListener("connection", () => {
    const now = tidings.connection;
    mend(now.phase);
    soon(() => take(now));
  });
  addEventListener("online", () => (networked.value = true));
  addEventListener("offline", () => (networked.value = false));
}
