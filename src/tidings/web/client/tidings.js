import { MOST_TOPICS } from "./connection.js";
import { Problem, request, Unreachable } from "./http.js";
import { newKey } from "./key.js";
import { isTemporary, Outbox } from "./outbox.js";
import { watchPage } from "./page.js";
import { startOf, ORIGIN } from "./offset.js";
import { Runs } from "./run.js";
import { join } from "./share.js";
import { pause } from "./attempts.js";
import { isOffset, Subscription } from "./subscription.js";
import { claimsOf, Tokens } from "./token.js";

const LONGEST_WAIT = 30_000;

/**
 * @typedef {object} Options
 * @property {() => string | Promise<string>} [token] called when a JSON Web Token is needed: at the start, before the
 *   current token expires, and when the server refuses it. Without this function the page's cookie signs in
 * @property {boolean} [share] use one connection for all tabs, if the browser can. By default true in a page
 * @property {import("./outbox.js").KeyValueStore} [storage] keeps events that wait to be published beyond the page
 * @property {number} [silence] milliseconds without a byte after which a connection counts as dead
 * @property {number} [retry] milliseconds that the first wait may take, until the server asks for another time
 */

/**
 * The state of the connection. `by` names its holder: a shared worker, one tab for all, or this client for itself.
 * `problem` is the server's reason for refusing it; nothing more is tried until `reconnect`.
 *
 * @typedef {Omit<import("./connection.js").ConnectionState, "problem"> & {problem?: Problem}} Connection
 */

/** @typedef {{type?: string, data: unknown}} NewEvent `type` is "message" by default; `data` is any JSON value */

/** @typedef {import("./outbox.js").PendingSend & {events: NewEvent[]}} PendingPublish its lane is its topic */

/** @typedef {{offset: string, first: string, last: string}} Published the offsets of the first and the last event */

/**
 * A Tidings server: topics followed over one connection, events published in order, runs.
 *
 * Fires `connection` whenever `connection` has changed. The set of topics may change at any time: the client then
 * connects anew, and every reader keeps its position.
 */
export class Tidings extends EventTarget {
  /** @type {Connection} */
  connection = { phase: "closed", failures: 0, topics: 0, tabs: 0, by: "self" };
  /** Events that wait to be published, in order. @type {Outbox<PendingPublish>} */
  outbox;
  /** Starts and finds runs of assistants. */
  runs = new Runs(this);

  #base;
  #options;
  /** @type {Tokens | null} */
  #tokens = null;
  #share;
  /** @type {Set<Subscription>} */
  #subscriptions = new Set();
  /** @type {import("./share.js").Seat | null} */
  #seat = null;
  #joining = false;
  #away = false;
  /** Ends the waits under way when the server turns out to be there. */
  #news = new AbortController();
  #closed = new AbortController();

  /**
   * @param {string} [url] the server's address; "" is this page's origin
   * @param {Options} [options]
   */
  constructor(url = "", options = {}) {
    super();
    this.#base = (globalThis.location ? new URL(url || "/", location.href).href : url).replace(/\/+$/, "");
    this.#options = options;
    if (options.token) this.#tokens = new Tokens(async () => /** @type {any} */ (options).token());
    this.#share = options.share ?? "document" in globalThis;
    this.outbox = new Outbox({
      send: ({ key, lane, events }) => this.#publish(lane, events, { key }),
      wait: (failures, error) => this.#wait(failures, error),
      storage: options.storage,
      name: `tidings.outbox ${this.#base}`,
    });
    this.#watch();
    this.outbox.pump();
  }

  /**
   * Follow a topic: `for await (const event of tidings.subscribe(topic))`, or with callbacks. Several subscriptions may
   * follow the same topic, and all of them together at most 32 topics.
   *
   * An iterator throws `Reset` when events are gone (unless there is an `onReset`), and `Problem` when the server
   * refuses the topic.
   *
   * @param {string} topic
   * @param {import("./subscription.js").SubscribeOptions} [options]
   */
  subscribe(topic, options = {}) {
    return new Subscription(topic, options, {
      locate: (topic, after) => this.#locate(topic, after),
      follow: (subscription) => this.#follow(subscription),
      leave: (subscription) => this.#leave(subscription),
    });
  }

  /**
   * Publish an event. While the server cannot be reached the event waits, and later events of its topic wait behind it.
   * It is stored once, even when the request has to be repeated.
   *
   * @param {string} topic
   * @param {unknown} data anything that is JSON
   * @param {{type?: string, transient?: boolean, key?: string}} [options] `transient`: the event goes to the present
   *   readers, is not stored, and is not sent again; `key`: the same key again within 24 hours stores nothing
   * @returns {Promise<Published | null>} resolved when the event is durable; null for a transient event
   * @throws {Problem} the server refused it
   */
  publish(topic, data, { type, transient, key } = {}) {
    if (transient) return this.#publish(topic, [{ type, data }], { query: "?transient=true" });
    return this.publishMany(topic, [{ type, data }], { key });
  }

  /**
   * Publish several events of one topic in one commit: all of them are stored, or none.
   *
   * @param {string} topic
   * @param {NewEvent[]} events
   * @param {{key?: string}} [options] as in `publish`
   * @returns {Promise<Published>} resolved when the events are durable
   * @throws {Problem} the server refused them
   */
  publishMany(topic, events, { key = newKey() } = {}) {
    return this.outbox.deliver({ key, lane: topic, events });
  }

  /**
   * Read one page of a topic. Neighbouring deltas of a run are merged.
   * @param {string} topic
   * @param {string | number} [after] an offset, "earliest" (the default), "tail", or -N for the last N events
   * @returns {Promise<{events: import("./subscription.js").Event[], next: string, up_to_date: boolean, closed: boolean}>} `next`:
   *   the position to read or subscribe after
   * @throws {Problem} 404: there is no such topic; 410: events after the offset are gone
   */
  async read(topic, after = "earliest") {
    const offset = after === "earliest" || isOffset(after) ? after : await this.#locate(topic, after);
    const query = `merge=true&limit=1000${offset === "earliest" ? "" : `&after=${offset}`}`;
    const path = `/topics/${encodeURIComponent(topic)}/events?${query}`;
    const page = await this.patiently(() => this.request("GET", path));
    for (const event of page.events) event.topic = topic;
    return page;
  }

  /**
   * Send one request, with the token. Without an answer in 40 s (or `silence`) the server counts as unreachable.
   * @param {string} method
   * @param {string} path
   * @param {Omit<import("./http.js").RequestOptions, "signal" | "fetch">} [options]
   */
  async request(method, path, options) {
    const signal = AbortSignal.timeout(this.#options.silence ?? 40_000);
    try {
      return await request(method, this.#base + path, { ...options, signal, fetch: this.#tokens?.fetch });
    } catch (error) {
      throw signal.aborted ? new Unreachable() : error;
    }
  }

  /**
   * Repeat `ask` until it resolves. Only failures of the network and of the server's health are repeated.
   * @template T
   * @param {() => Promise<T>} ask
   * @returns {Promise<T>}
   * @throws {Problem} the server refused
   */
  async patiently(ask) {
    for (let failures = 1; ; failures += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!isTemporary(error) || this.#closed.signal.aborted) throw error;
        await this.#wait(failures, /** @type {{retryAfter?: number}} */ (error));
      }
    }
  }

  /** Connect again now. */
  reconnect() {
    this.#seat?.send({ reconnect: true });
  }

  /** Leave the connection and end every subscription. This client sends nothing from its outbox any more. */
  close() {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#closed.abort();
    this.#unseat();
    this.#endWaits();
  }

  /**
   * @param {string} topic
   * @param {NewEvent[]} events
   * @param {{key?: string, query?: string}} options
   */
  #publish(topic, events, { key, query = "" }) {
    const body = events.map((event) => JSON.stringify(event) + "\n").join("");
    return this.request("POST", `/topics/${encodeURIComponent(topic)}/events${query}`, {
      body,
      type: "application/x-ndjson",
      key,
    });
  }

  /**
   * Find the position for a place to begin. A topic that does not exist yet begins with its first event.
   * @param {string} topic
   * @param {string | number} after
   */
  async #locate(topic, after) {
    try {
      const path = `/topics/${encodeURIComponent(topic)}`;
      return startOf(await this.patiently(() => this.request("GET", path)), after);
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return ORIGIN;
      throw error;
    }
  }

  /** @param {Subscription} subscription */
  #follow(subscription) {
    const { topic, position } = subscription;
    const topics = new Set([...this.#subscriptions].map((one) => one.topic)).add(topic);
    if (topics.size > MOST_TOPICS) throw new Error(`One connection follows at most ${MOST_TOPICS} topics.`);
    this.#subscriptions.add(subscription);
    if (this.#seat) this.#seat.send({ follow: { [topic]: position } });
    else void this.#join();
  }

  /** @param {Subscription} subscription */
  #leave(subscription) {
    const { topic } = subscription;
    this.#subscriptions.delete(subscription);
    if (![...this.#subscriptions].some((one) => one.topic === topic)) this.#seat?.send({ unfollow: [topic] });
  }

  async #join() {
    if (this.#joining || this.#away) return;
    this.#joining = true;
    const { silence, retry } = this.#options;
    /** @type {import("./share.js").Settings} */
    const settings = { base: this.#base, silence, retry };
    if (this.#tokens) {
      settings.bearer = true;
      const tokens = this.#tokens; // tabs of different people share nothing
      if (this.#share) settings.subject = String(claimsOf(await this.patiently(() => tokens.get())).sub);
    }
    this.#joining = false;
    if (this.#away || this.#closed.signal.aborted) return;
    this.#seat = join(settings, this.#share, (message) => this.#receive(message));
    for (const one of this.#subscriptions) this.#follow(one);
  }

  #unseat() {
    this.#seat?.leave();
    this.#seat = null;
  }

  /** @param {import("./connection.js").HolderMessage} message */
  #receive({ hello, alone, ask, events, refused, state }) {
    if (hello) for (const one of this.#subscriptions) this.#follow(one);
    if (alone) {
      this.#share = false;
      this.#unseat();
      void this.#join();
    }
    if (ask) void this.#answer(ask.refused);
    if (events) for (const one of this.#subscriptions) one.take(events);
    if (refused) {
      for (const one of this.#subscriptions)
        if (refused.topics.includes(one.topic)) one.fail(new Problem(...refused.problem));
    }
    if (state) this.#become(state);
  }

  /** @param {string} refused */
  async #answer(refused) {
    const token = await this.#tokens?.get(refused).catch(() => null);
    this.#seat?.send({ token: token ?? null });
  }

  /** @param {import("./connection.js").ConnectionState} state */
  #become({ problem: refusal, ...state }) {
    const problem = refusal && new Problem(...refusal);
    this.connection = { ...state, ...(problem && { problem }) };
    this.dispatchEvent(new Event("connection"));
    if (state.phase === "open") this.#endWaits();
    if (problem) for (const subscription of this.#subscriptions) subscription.interrupt(problem);
  }

  /**
   * Wait for a random part of a time that doubles with each failure, or until the server turns out to be there; never
   * shorter than the server asked for.
   * @param {number} failures
   * @param {{retryAfter?: number}} error
   */
  async #wait(failures, { retryAfter: asked = 0 }) {
    const longer = 250 + Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** failures);
    if (asked) await pause(asked, this.#closed.signal);
    await pause(longer - asked, this.#news.signal);
  }

  #endWaits() {
    this.#news.abort();
    this.#news = new AbortController();
  }

  /** Leave the connection while the page sleeps, and come back at once when it wakes or has a network again. */
  #watch() {
    const sleep = () => {
      this.#away = true;
      this.#unseat();
    };
    const wake = () => {
      this.#away = false;
      if (this.#seat) this.reconnect();
      else if (this.#subscriptions.size > 0) void this.#join();
    };
    /** @param {boolean} visible */
    const seen = (visible) => {
      // All tabs together have six connections on HTTP/1.1. One that is not shared is given back while its tab is hidden.
      if (!visible && this.#options.share !== false && this.#seat?.shared === false) sleep();
      // A hidden tab's timers may be slowed to one a minute.
      else if (visible && (!this.#seat || this.connection.phase === "waiting")) wake();
    };
    const online = () => {
      if (this.connection.phase !== "open") this.reconnect();
      this.#endWaits();
    };
    watchPage({ sleep, wake, seen, online }, this.#closed.signal);
  }
}
