import { MOST_TOPICS } from "./connection.js";
import { Problem, request, Unreachable } from "./http.js";
import { isTemporary, newKey, Outbox } from "./outbox.js";
import { watchPage } from "./page.js";
import { Run } from "./run.js";
import { join } from "./share.js";
import { pause } from "./stream.js";
import { Subscription } from "./subscription.js";
import { claimsOf, Tokens } from "./token.js";

const LONGEST_WAIT = 30_000;

/**
 * @typedef {object} Options
 * @property {() => string | Promise<string>} [token] called for a JSON Web Token when one is needed: at first, before
 *   the one there is expires, and when it is refused. Without it, the page's cookie says who one is
 * @property {boolean} [share] one connection for all tabs, where the browser can; by default, in a page
 * @property {import("./outbox.js").Keeper} [storage] where events that wait to be published outlive the page
 * @property {number} [silence] milliseconds without a byte after which a connection counts as dead
 * @property {number} [retry] milliseconds the first wait may take, until the server says otherwise
 */

/**
 * How the connection is. `by` says who holds it: a shared worker, one of the tabs for all, or this client for itself.
 *
 * @typedef {Omit<import("./connection.js").Standing, "problem"> & {problem?: Problem}} Connection `problem`: why the
 *   server refuses it, and nothing more is tried until `reconnect`
 */

/** @typedef {import("./outbox.js").Letter & {type?: string, data: unknown}} Publication */

/**
 * A Tidings server: topics followed over one connection, events published in order, runs.
 *
 * Fires `connection` whenever `connection` has changed. The set of topics may change at any time: the connection is
 * made anew, and every reader keeps its place.
 */
export class Tidings extends EventTarget {
  /** @type {Connection} */
  connection = { phase: "closed", failures: 0, topics: 0, tabs: 0, by: "self" };
  /** What waits to be published, in order. @type {Outbox<Publication>} */
  outbox;

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
  /** Ends the waits under way. */
  #news = new AbortController();
  #closed = new AbortController();

  /**
   * @param {string} [url] where the server is; "" is this page's origin
   * @param {Options} [options]
   */
  constructor(url = "", options = {}) {
    super();
    this.#base = (globalThis.location ? new URL(url || "/", location.href).href : url).replace(/\/+$/, "");
    this.#options = options;
    if (options.token) this.#tokens = new Tokens(async () => /** @type {any} */ (options).token());
    this.#share = options.share ?? "document" in globalThis;
    this.outbox = new Outbox({
      send: ({ key, lane, type, data }) => this.#publish(lane, { type, data }, { key }),
      wait: (failures) => this.#wait(failures),
      storage: options.storage,
      name: `tidings.outbox ${this.#base}`,
    });
    this.#live();
    this.outbox.pump();
  }

  /**
   * Follow a topic: `for await (const event of tidings.subscribe(topic))`, or with callbacks. Several may follow the same.
   *
   * An iterator throws `Reset` when events are gone (unless there is an `onReset`), and `Problem` when the server
   * refuses the topic.
   *
   * @param {string} topic one of at most 32
   * @param {import("./subscription.js").Reading} [reading]
   */
  subscribe(topic, reading = {}) {
    return new Subscription(topic, reading, {
      follow: (subscription) => this.#follow(subscription),
      leave: (subscription) => this.#leave(subscription),
    });
  }

  /**
   * Store an event. Until the server can be reached it waits, with all others of its topic behind it, in order; it is
   * stored once, however often it is sent.
   *
   * @param {string} topic
   * @param {unknown} data anything that is JSON
   * @param {{type?: string, key?: string, transient?: boolean}} [options] `key`: the same one again within 24 hours
   *   stores nothing; `transient`: only to whoever follows now, not stored, and not tried again
   * @returns {Promise<{offset: string, first: string, last: string} | null>} when it is durable; null when transient
   * @throws {Problem} the server refused it
   */
  publish(topic, data, { type, key = newKey(), transient } = {}) {
    if (transient) return this.#publish(topic, { type, data }, { query: "?transient=true" });
    return this.outbox.deliver({ key, lane: topic, type, data });
  }

  /**
   * Start a run; it is started once, however often this has to be sent.
   *
   * @param {{input?: string, messages?: {role: string, content: string}[], assistant?: string, topic?: string,
   *   parent?: string}} what as in `POST /runs`
   * @param {{key?: string}} [options]
   * @returns {Promise<Run>}
   * @throws {Problem} the server refused it
   */
  async run(what, { key = newKey() } = {}) {
    const { run } = await this.patiently(() => this.request("POST", "/runs", { json: what, key }));
    return this.runOf(run);
  }

  /** A run that was started before. @param {string} id */
  runOf = (id) => new Run(this, id);

  /**
   * One page of a log, in which neighbouring deltas of runs come merged.
   * @param {string} topic
   * @param {string} [after] an offset; by default from the earliest event
   * @returns {Promise<{events: import("./subscription.js").Event[], next: string, up_to_date: boolean, closed: boolean}>} `next`: where to
   *   read on, or to subscribe
   * @throws {Problem} 404: there is no such topic; 410: events after the offset are gone
   */
  async read(topic, after = "") {
    const path = `/topics/${encodeURIComponent(topic)}/events?merge=true&limit=1000${after && `&after=${after}`}`;
    const page = await this.patiently(() => this.request("GET", path));
    for (const event of page.events) event.topic = topic;
    return page;
  }

  /**
   * One request, with the token. Without an answer in 40 s (or `silence`) the server counts as not reached.
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
   * Ask until there is an answer: what only the way or the server's health stood against is asked again.
   * @template T
   * @param {() => Promise<T>} ask
   * @returns {Promise<T>}
   * @throws {Problem} what the server refused
   */
  async patiently(ask) {
    for (let failures = 1; ; failures += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!isTemporary(error) || this.#closed.signal.aborted) throw error;
        await this.#wait(failures);
      }
    }
  }

  /** Try again now. */
  reconnect() {
    this.#seat?.send({ reconnect: true });
  }

  /** Leave the connection, and end every subscription. What waits in the outbox is not sent by this client any more. */
  close() {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#closed.abort();
    this.#unseat();
    this.#endWaits();
  }

  /**
   * @param {string} topic
   * @param {{type?: string, data: unknown}} event
   * @param {{key?: string, query?: string}} options
   */
  #publish(topic, event, { key, query = "" }) {
    const body = JSON.stringify(event) + "\n";
    return this.request("POST", `/topics/${encodeURIComponent(topic)}/events${query}`, {
      body,
      type: "application/x-ndjson",
      key,
    });
  }

  /** @param {Subscription} subscription */
  #follow(subscription) {
    const { topic, position } = subscription;
    const topics = new Set([...this.#subscriptions].map((one) => one.topic)).add(topic);
    if (topics.size > MOST_TOPICS) throw new Error(`one connection follows at most ${MOST_TOPICS} topics`);
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
      const tokens = this.#tokens; // tabs of different users share nothing
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

  /** @param {import("./connection.js").Tells} message */
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

  /** @param {import("./connection.js").Standing} state */
  #become({ problem: refusal, ...state }) {
    const problem = refusal && new Problem(...refusal);
    this.connection = { ...state, ...(problem && { problem }) };
    this.dispatchEvent(new Event("connection"));
    if (state.phase === "open") this.#endWaits();
    if (problem) for (const subscription of this.#subscriptions) subscription.interrupt(problem);
  }

  /**
   * A random part of a time that doubles with each failure, or until there is good news.
   * @param {number} failures
   */
  #wait(failures) {
    return pause(250 + Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** failures), this.#news.signal);
  }

  #endWaits() {
    this.#news.abort();
    this.#news = new AbortController();
  }

  /** A page is put to sleep, wakes, and finds the network again. */
  #live() {
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
      // A connection that is not shared is one of the six that all tabs have on HTTP/1.1: only who is looked at has it.
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
