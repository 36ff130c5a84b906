import { computed, effect, signal, untracked } from "@preact/signals";
import { ORIGIN, Problem, Tidings, newKey } from "../../client/index.js";
import { soon } from "../page/frames.js";
import { serverRoot } from "../page/root.js";
import { toast } from "../toasts/state.js";
import { held, hold, release, store } from "./held.js";

/** Statuses of a proxy whose server is away. */
const AWAY = [502, 503, 504];

/** Statuses that say that the person may not read something any more. */
const GONE = [403, 404, 410];

/** The server has answered this page. Until then, the page shows what this device holds. */
let reached = false;

/**
 * The client. Without the server it answers with what this device holds. It shows a toast when the server asks to slow
 * down; messages show that themselves.
 */
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
      const answer = await super.request(method, path, options);
      reached = true;
      if (method === "GET") hold(path, answer);
      return answer;
    } catch (error) {
      const status = error instanceof Problem ? error.status : 0;
      const found = method === "GET" && (status === 0 || AWAY.includes(status)) ? await held(path, reached) : null;
      if (found) return found;
      if (method === "GET" && GONE.includes(status)) void release(path);
      if (error instanceof Problem && error.status === 429 && this.#acts.has(options?.key))
        toast({ key: "slowed", icon: "clock", tone: "amber", title: "Waiting", text: error.message });
      throw error;
    }
  }

  /**
   * Ask the server.
   * @param {string} path
   * @param {boolean} orHeld what this device holds is an answer, too, while the server cannot be reached
   * @returns {Promise<any>}
   */
  get(path, orHeld) {
    return orHeld ? this.request("GET", path) : super.request("GET", path);
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

export const offline = computed(
  () => (connectionStatus.value === "lost" || connectionStatus.value === "connecting") && !networked.value,
);

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
      const redacted = events.some(({ type }) => type === "tidings.redacted");
      if (redacted) forget(topic);
      for (const { offset, time } of events) {
        ahead = Math.min(ahead, now - time);
        if (offset !== null && time + ahead < mendedAt) replayed.value += 1;
      }
      note(topic, events);
      options.onEvents?.(events);
      if (redacted) holdAll();
    },
    onReset: (reset) => {
      logs.delete(topic);
      options.onReset?.(reset);
    },
  });
}

/** Release what may quote an event whose content is gone. What is read or held from now on has it no more. @param {string} topic */
function forget(topic) {
  for (const path of [`/topics/${topic}/`, `/${topic.replace(".", "/")}`, "/notifications"]) void release(path);
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

/** Functions that hold what a part of the page has read and followed until now. @type {Set<() => void>} */
const keepers = new Set();

/** Call `keep` whenever the page may be about to lose the server or to end. @param {() => void} keep */
export const whenLeaving = (keep) => void keepers.add(keep);

/** Hold what the page shows now. */
function holdAll() {
  if (!reached) return;
  for (const [topic, log] of logs) holdLog(topic, log, false);
  for (const keep of keepers) keep();
}

function leaving() {
  holdAll();
  void store();
}

/** The most events of a topic that are held. */
const MOST = 5000;

/** The events of the topics that are followed from their earliest. @type {Map<string, import("../../client/index.js").Event[]>} */
const logs = new Map();

/** Note events of a topic that is followed from its earliest. @param {string} topic @param {readonly import("../../client/index.js").Event[]} events */
function note(topic, events) {
  const log = logs.get(topic);
  if (!log) return;
  for (const event of events) {
    if (event.offset !== null) log.push(event);
    else if (event.type === "tidings.redacted")
      logs.set(
        topic,
        log.filter(({ offset }) => offset !== event.data.offset),
      );
    else if (event.type === "tidings.end") {
      holdLog(topic, log, true);
      logs.delete(topic);
    }
  }
}

/** Hold a topic as one page of the server. @param {string} topic @param {import("../../client/index.js").Event[]} events @param {boolean} closed */
function holdLog(topic, events, closed) {
  const next = events.at(-1)?.offset;
  if (next && events.length <= MOST) hold(pathOf(topic), { events, next, up_to_date: true, closed });
}

/** The path of a topic's first page, as the client asks for it. @param {string} topic */
const pathOf = (topic) => `/topics/${topic}/events?merge=true&limit=1000`;

/**
 * Read a topic from its earliest event, then follow it. The history comes in pages, so that a conversation of a hundred
 * answers does not need a hundred topics on the connection.
 *
 * @param {string} topic
 * @param {import("../../client/index.js").SubscribeOptions} reader its `onEvents` is called at least once, for the history
 * @param {boolean} [exists] false: the topic is to be followed from its first event, which may be still to come
 * @returns {Promise<import("../../client/index.js").Subscription | "closed" | "missing">} resolved when the history was read
 * @throws {Problem} the server refused for another reason
 */
export async function follow(topic, reader, exists = true) {
  logs.set(topic, []);
  if (!exists) return subscribe(topic, { ...reader, after: ORIGIN });
  for (let after = "earliest"; ;) {
    const page = await tidings.read(topic, after).catch(unlessMissing);
    if (!page) return "missing";
    note(topic, page.events);
    reader.onEvents?.(page.events);
    after = page.next;
    if (!page.up_to_date) continue;
    if (!page.closed) return subscribe(topic, { ...reader, after });
    logs.delete(topic); // each of its pages is held
    return "closed";
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
  document.addEventListener("visibilitychange", () => document.hidden && leaving());
  effect(() => {
    if (connectionStatus.value === "lost") untracked(leaving);
  });
}
