import { request } from "./http.js";
import { EventStream } from "./stream.js";

/** Before the first event of a log, whichever life of it comes first. */
export const ORIGIN = "0-0";

/** Topics one connection may follow. */
export const MOST_TOPICS = 32;

/**
 * @typedef {object} Event
 * @property {string} topic
 * @property {string | null} offset null for a transient event
 * @property {string} type
 * @property {number} time Unix seconds
 * @property {any} data
 */

/**
 * @typedef {object} Reader
 * @property {(events: Event[]) => void} onEvents in order, none twice, also across reconnects
 * @property {(reset: {reason: string, earliest: string | null}) => void} [onReset] events after the offset are gone;
 *   what follows starts at `earliest`
 * @property {() => void} [onEnd] the topic is closed and read; the subscription is over
 */

/**
 * @typedef {Reader & {topic: string, offset: string}} Subscription
 */

/**
 * @typedef {import("./stream.js").State & {replayed: number, topics: number}} Connection `replayed`: events that
 *   happened while the connection was broken the last time, and came after it
 */

/**
 * A Tidings server, and one connection to it that follows any number of topics up to 32.
 *
 * The set of topics may change at any time: the connection is made anew, with every offset kept.
 */
export class Tidings {
  /** @type {Connection} */
  connection = { phase: "closed", failures: 0, replayed: 0, topics: 0 };

  #base;
  #options;
  /** @type {Map<string, Subscription>} */
  #subscriptions = new Map();
  /** The topics of the connection, in the order of its ids. @type {Subscription[]} */
  #followed = [];
  /** @type {EventStream | null} */
  #stream = null;
  #scheduled = false;
  /** Seconds this clock is ahead of the server's, at most: the least difference seen. */
  #ahead = Infinity;
  #broken = true;
  #mendedAt = Infinity;

  /**
   * @param {string} [base] where the server is, without a final slash; "" is this page's origin
   * @param {{onConnection?: (connection: Connection) => void, silence?: number, retry?: number}} [options]
   */
  constructor(base = "", options = {}) {
    this.#base = base;
    this.#options = options;
  }

  /**
   * @param {string} topic not subscribed yet, and one of at most 32
   * @param {Reader} reader
   * @param {string} [after] an offset; by default everything is read
   */
  subscribe(topic, reader, after = ORIGIN) {
    if (this.#subscriptions.has(topic)) throw new Error(`${topic} is subscribed already`);
    if (this.#subscriptions.size === MOST_TOPICS)
      throw new Error(`one connection follows at most ${MOST_TOPICS} topics`);
    this.#subscriptions.set(topic, { ...reader, topic, offset: after });
    this.#changed();
  }

  /** @param {string} topic @returns {string | null} the offset it was read to; null when it was not subscribed */
  unsubscribe(topic) {
    const subscription = this.#subscriptions.get(topic);
    this.#subscriptions.delete(topic);
    if (subscription) this.#changed();
    return subscription?.offset ?? null;
  }

  /** The server's time, in Unix seconds, as well as it is known: its clock may differ from this one. */
  now() {
    return Date.now() / 1000 - (Number.isFinite(this.#ahead) ? this.#ahead : 0);
  }

  /** Try again now. */
  reconnect() {
    if (this.#stream && this.connection.phase !== "closed") this.#stream.reconnect();
    else this.#changed();
  }

  /**
   * @param {string} topic
   * @param {string} type
   * @param {unknown} data
   * @param {string} [key] with which the event is stored once, however often this is called
   */
  publish(topic, type, data, key) {
    const body = JSON.stringify({ type, data }) + "\n";
    return this.request("POST", `/topics/${topic}/events`, { body, type: "application/x-ndjson", key });
  }

  /**
   * @param {string} topic
   * @returns {Promise<boolean>} whether it exists: asking for its events otherwise is an error
   */
  async has(topic) {
    const { topics } = await this.request("GET", `/topics?prefix=${topic}&limit=1`);
    return topics[0] === topic;
  }

  /**
   * One page of a log, in which neighbouring deltas of runs come merged.
   * @param {string} topic
   * @param {string} [after] an offset; by default from the earliest event
   * @returns {Promise<{events: Event[], next: string, up_to_date: boolean, closed: boolean}>}
   */
  async read(topic, after) {
    const page = await this.request(
      "GET",
      `/topics/${topic}/events?merge=true&limit=1000${after ? `&after=${after}` : ""}`,
    );
    for (const event of page.events) event.topic = topic;
    return page;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {import("./http.js").RequestOptions} [options]
   */
  request(method, path, options) {
    return request(method, this.#base + path, options);
  }

  /** Several changes of the set in one turn of the loop are one new connection. */
  #changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#open();
    });
  }

  #open() {
    this.#stream?.close();
    this.#stream = null;
    this.#followed = [...this.#subscriptions.values()];
    if (this.#followed.length === 0) {
      this.#become({ phase: "closed", failures: 0 });
      return;
    }
    const query = this.#followed.map(({ topic }) => `topic=${topic}`).join("&");
    const stream = new EventStream(`${this.#base}/events?${query}&envelope=true`, {
      lastEventId: this.#followed.map(({ offset }) => offset).join("~"),
      silence: this.#options.silence,
      retry: this.#options.retry,
      onEvents: (events) => this.#take(events),
      onState: (state) => this.#stream === stream && this.#become(state),
    });
    this.#stream = stream;
    this.#become(stream.state);
  }

  /** @param {import("./decoder.js").ServerSentEvent[]} received */
  #take(received) {
    /** @type {Map<string, Event[]>} */
    const fresh = new Map();
    const now = Date.now() / 1000;
    for (const { data, id } of received) {
      const event = /** @type {Event} */ (JSON.parse(data));
      const subscription = this.#subscriptions.get(event.topic);
      if (!subscription) continue;
      this.#moveTo(id);
      if (event.type === "tidings.reset" || event.type === "tidings.end") {
        this.#hand(fresh);
        this.#notice(subscription, event);
        continue;
      }
      this.#ahead = Math.min(this.#ahead, now - event.time);
      if (event.offset !== null && event.time + this.#ahead < this.#mendedAt) this.connection.replayed += 1;
      const events = fresh.get(event.topic);
      if (events) events.push(event);
      else fresh.set(event.topic, [event]);
    }
    this.#hand(fresh);
    this.connection.topics = this.#subscriptions.size;
    this.#options.onConnection?.(this.connection);
  }

  /** One id restores every position. @param {string} id */
  #moveTo(id) {
    const offsets = id.split("~");
    if (offsets.length !== this.#followed.length) return;
    this.#followed.forEach((subscription, n) => (subscription.offset = offsets[n]));
  }

  /** @param {Map<string, Event[]>} fresh */
  #hand(fresh) {
    for (const [topic, events] of fresh) this.#subscriptions.get(topic)?.onEvents(events);
    fresh.clear();
  }

  /**
   * @param {Subscription} subscription
   * @param {Event} event
   */
  #notice(subscription, { type, topic, data }) {
    if (type === "tidings.reset") subscription.onReset?.({ reason: data.reason, earliest: data.earliest });
    else {
      // The server forgets the topic by itself; the next connection leaves it out.
      this.#subscriptions.delete(topic);
      subscription.onEnd?.();
    }
  }

  /** @param {import("./stream.js").State} state */
  #become(state) {
    // A new set of topics is a new connection, but no break.
    let { replayed } = this.connection;
    if (state.phase === "waiting") this.#broken = true;
    if (state.phase === "open" && this.#broken) {
      this.#broken = false;
      this.#mendedAt = Date.now() / 1000;
      replayed = 0;
    }
    this.connection = { ...state, replayed, topics: this.#subscriptions.size };
    this.#options.onConnection?.(this.connection);
  }
}
