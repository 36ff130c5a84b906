/** The series that the cards show: each is read once, and then followed on the page's one connection. */
import { batch, signal } from "@preact/signals";
import { ORIGIN } from "../../client/index.js";
import { serverTime, subscribe, tidings } from "../connection/state.js";
import { onWake } from "../connection/wake.js";
import { soon } from "../page/frames.js";
import { ended } from "../session/state.js";
import { Columns } from "./series-fold.js";
import { countBuffered } from "./view-state.js";

/** @typedef {import("./series-fold.js").Spec} Spec */

/**
 * @typedef {object} Span the time that a feed holds
 * @property {number} from Unix seconds, or negative: seconds from now
 * @property {number} to the same; 0 is now
 * @property {boolean} live events are added
 * @property {number} points the most columns
 */

/** Milliseconds for which a feed waits for others before it is followed, so that the connection is opened once. */
const TOGETHER = 500;

/** The most events of a list. */
const LISTED = 50;

/** The feeds that are read at present. */
let reading = 0;
/** Calls that begin to follow. @type {(() => void)[]} */
let waiting = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {() => void} begin */
function together(begin) {
  waiting.push(begin);
  timer ??= setTimeout(beginAll, TOGETHER);
}

function beginAll() {
  clearTimeout(timer);
  timer = undefined;
  const all = waiting;
  waiting = [];
  for (const begin of all) begin();
}

/** The feeds that have changed since the last frame. @type {Set<Feed>} */
const changed = new Set();

/** Say of all feeds at once what has changed, so that a card is drawn once in a frame. */
function showAll() {
  batch(() => {
    for (const feed of changed) feed.version.value += 1;
  });
  changed.clear();
}

/** A reader of one topic for a card. */
class Feed {
  /** @type {import("@preact/signals").Signal<"loading" | "ready" | "failed">} */
  status = signal("loading");
  /** The reason of "failed", or why a card that is ready is not live. */
  reason = signal("");
  /** Counts the changes of what is held. */
  version = signal(0);
  /** The cards that show it. */
  users = 0;
  /** @type {import("../../client/index.js").Subscription | null} */
  #subscription = null;
  #life = 0;

  /** @param {string} topic */
  constructor(topic) {
    this.topic = topic;
  }

  /** Read what is there and follow what comes. */
  async begin() {
    this.end();
    const life = this.#life;
    this.status.value = "loading";
    this.reason.value = "";
    reading += 1;
    try {
      const after = await this.read();
      if (life !== this.#life) return;
      this.version.value += 1;
      this.status.value = "ready";
      if (after !== null) together(() => life === this.#life && this.#follow(after));
    } catch (error) {
      if (life === this.#life && !ended(error)) this.fail(/** @type {Error} */ (error));
    } finally {
      reading -= 1;
      if (reading === 0) beginAll();
    }
  }

  /** Read what is there. @abstract @returns {Promise<string | null>} the offset to follow after; null: nothing more is wanted */
  async read() {
    return null;
  }

  /** Take events of the topic. @abstract @param {import("../../client/index.js").Event[]} _events */
  take(_events) {}

  /** @param {string} after */
  #follow(after) {
    try {
      this.#subscription = subscribe(this.topic, {
        after,
        onEvents: (events) => {
          // The series that held a redacted event are made again.
          if (events.some(({ type }) => type === "tidings.redacted")) return void this.begin();
          this.take(events);
          countBuffered(this.topic, this, events.filter(({ offset }) => offset !== null).length);
          changed.add(this);
          soon(showAll);
        },
        onReset: () => void this.begin(),
        onError: (error) => this.fail(error),
      });
    } catch (error) {
      this.reason.value = `Not live: ${/** @type {Error} */ (error).message}`; // too many topics
    }
  }

  /** @param {Error} error */
  fail(error) {
    this.end();
    this.reason.value = error.message;
    this.status.value = "failed";
  }

  end() {
    this.#life += 1;
    this.#subscription?.close();
    this.#subscription = null;
  }
}

/** A series in columns. */
export class SeriesFeed extends Feed {
  /** @type {Columns | null} */
  columns = null;
  /** Sentences about what is not drawn. @type {string[]} */
  notes = [];
  /** The topic has had events. */
  exists = false;

  /** @param {Spec} spec @param {Span} span */
  constructor(spec, span) {
    super(spec.topic);
    this.spec = spec;
    this.span = span;
  }

  /** @override */
  async read() {
    const { topic, field, agg, by } = this.spec;
    const { from, to, live, points } = this.span;
    const query = new URLSearchParams({ topic, agg, from: String(from), to: String(to), points: String(points) });
    if (field) query.set("field", field);
    if (by) query.set("by", by);
    const answer = await tidings.patiently(() => tidings.request("GET", `/series?${query}`));
    this.columns = new Columns(this.spec, answer, live ? -from : Infinity, serverTime());
    this.notes = answer.notes;
    this.exists = answer.offset !== ORIGIN;
    return live ? answer.offset : null;
  }

  /** @override @param {import("../../client/index.js").Event[]} events */
  take(events) {
    this.columns?.take(events);
  }
}

/** The last events of a topic. */
export class EventsFeed extends Feed {
  /** The last event first. @type {import("../../client/index.js").Event[]} */
  events = [];

  /** @override */
  async read() {
    const path = `/topics?prefix=${encodeURIComponent(this.topic)}&limit=1`;
    // A topic that does not exist is no fault: its first event is still to come.
    const { topics } = await tidings.patiently(() => tidings.request("GET", path));
    if (topics[0] !== this.topic) return ORIGIN;
    const page = await tidings.read(this.topic, -LISTED);
    this.events = [];
    this.take(page.events);
    return page.closed ? null : page.next;
  }

  /** @override @param {import("../../client/index.js").Event[]} events */
  take(events) {
    const kept = events.filter(({ offset }) => offset !== null).toReversed();
    this.events = [...kept, ...this.events].slice(0, LISTED);
  }
}

/** The feeds in use, by their subject. @type {Map<string, Feed>} */
const feeds = new Map();

/**
 * Take a feed into use. Cards that show the same share one.
 * @template {Feed} F
 * @param {string} key
 * @param {() => F} make
 * @returns {F}
 */
function use(key, make) {
  if (!awake) onWake(renewAll);
  awake = true;
  let found = feeds.get(key);
  if (!found) {
    feeds.set(key, (found = make()));
    void found.begin();
  }
  found.users += 1;
  return /** @type {F} */ (found);
}

/** The feeds are read again after a sleep. */
let awake = false;

function renewAll() {
  for (const feed of feeds.values()) void feed.begin();
}

/** @param {Spec} spec @param {Span} span */
export const seriesFeed = (spec, span) => use(JSON.stringify([spec, span]), () => new SeriesFeed(spec, span));

/** @param {string} topic */
export const eventsFeed = (topic) => use(`events ${topic}`, () => new EventsFeed(topic));

/** Let go of a feed. It ends with its last card. @param {Feed} feed */
export function leave(feed) {
  feed.users -= 1;
  if (feed.users > 0) return;
  feed.end();
  for (const [key, one] of feeds) if (one === feed) feeds.delete(key);
}

/** Let time go by in all live series. @param {number} time */
export function passAll(time) {
  for (const feed of feeds.values()) if (feed instanceof SeriesFeed && feed.span.live) feed.columns?.pass(time);
}
