import { EventStream } from "./stream.js";
import { standing } from "./offset.js";
import { Tokens } from "./token.js";

/** Topics one connection may follow. */
export const MOST_TOPICS = 32;

/** Milliseconds in which changes of the set are gathered: what several tabs ask for at once is one new connection. */
const GATHER = 10;

/** Milliseconds a tab has to answer when it is asked for a token. */
const PATIENCE = 10_000;

/**
 * What a tab tells the connection. `follow`: topics and where it is in each, also when it must have them from there
 * again; `token`: its answer when it was asked, null when it has none.
 * @typedef {object} Told
 * @property {string} from the tab
 * @property {Record<string, string>} [follow]
 * @property {string[]} [unfollow]
 * @property {true} [reconnect]
 * @property {string | null} [token]
 * @property {true} [leave]
 */

/**
 * What the connection tells all tabs, or the one it names. `hello`: it is new, and knows nothing yet; `alone`: there is
 * no room for this tab's topics.
 * @typedef {object} Tells
 * @property {string} [to]
 * @property {true} [hello]
 * @property {Received[]} [events]
 * @property {Standing} [state]
 * @property {{topics: string[], problem: Refusal}} [refused]
 * @property {{refused: string}} [ask] for a token
 * @property {true} [alone]
 */

/**
 * An event as the server sent it. A reset has the connection's positions before (`was`) and after it (`at`).
 * @typedef {import("./subscription.js").Event & {at?: string, was?: string}} Received
 */

/** @typedef {[number, string, string, Record<string, unknown>]} Refusal what a Problem is made of */

/**
 * @typedef {Omit<import("./stream.js").State, "problem"> & {problem?: Refusal, topics: number, tabs: number, by: By}} Standing
 */

/** @typedef {"worker" | "tab" | "self"} By who holds the connection */

/**
 * @typedef {object} Settings
 * @property {string} base where the server is, without a final slash
 * @property {boolean} [bearer] tabs have tokens
 * @property {number} [silence]
 * @property {number} [retry]
 */

/**
 * One event stream for all tabs.
 *
 * Its position in a topic is the least that any of them has asked for, and whoever is further drops what it has. So
 * every tab gets every event once, whenever it came, and whoever held the connection before.
 */
export class Connection {
  #settings;
  #by;
  #send;
  /** The topics of each tab. @type {Map<string, Set<string>>} */
  #tabs = new Map();
  /** How far this connection is in each topic. @type {Map<string, string>} */
  #positions = new Map();
  /** The topics of the stream, in the order of its ids. @type {string[]} */
  #followed = [];
  /** Those the server has accepted. @type {string[]} */
  #accepted = [];
  /** @type {EventStream | null} */
  #stream = null;
  /** @type {import("./stream.js").State} */
  #state = { phase: "closed", failures: 0 };
  #closed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gathering;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewal;
  #tokens = new Tokens((refused) => this.#ask(refused));
  /** @type {(token?: string | null) => void} */
  #answer = () => {};

  /**
   * @param {Settings} settings
   * @param {By} by
   * @param {(message: Tells) => void} send
   */
  constructor(settings, by, send) {
    this.#settings = settings;
    this.#by = by;
    this.#send = send;
  }

  /** @param {Told} message */
  receive({ from, follow = {}, unfollow = [], reconnect, token, leave }) {
    const topics = this.#tabs.get(from) ?? new Set();
    for (const topic of leave ? [...topics] : unfollow) topics.delete(topic);
    if (leave) this.#tabs.delete(from);
    else this.#tabs.set(from, topics);
    this.#forget();
    if (new Set([...this.#positions.keys(), ...Object.keys(follow)]).size > MOST_TOPICS) {
      this.#send({ to: from, alone: true });
      return;
    }
    for (const [topic, position] of Object.entries(follow)) {
      topics.add(topic);
      this.#follow(topic, position);
    }
    if (token !== undefined) this.#answer(token);
    else if (reconnect) this.#again();
    else this.#tell();
  }

  /** Without a word: another one takes over. */
  close() {
    this.#closed = true;
    this.#send = () => {};
    clearTimeout(this.#gathering);
    clearTimeout(this.#renewal);
    this.#stream?.close();
  }

  /** @param {string} topic @param {string} position */
  #follow(topic, position) {
    const here = this.#positions.get(topic);
    if (here !== undefined && standing(position, here) === "old") return;
    this.#positions.set(topic, position);
    this.#changed();
  }

  /** Leave out what no tab follows. */
  #forget() {
    const wanted = new Set([...this.#tabs.values()].flatMap((topics) => [...topics]));
    for (const topic of this.#positions.keys()) {
      if (!wanted.has(topic) && this.#positions.delete(topic)) this.#changed();
    }
  }

  #again() {
    if (this.#stream && this.#state.phase !== "closed") this.#stream.reconnect();
    else this.#changed();
  }

  #changed() {
    const before = this.#stream;
    this.#stream = null; // its end is ours, and what it still brings would move the positions that were asked for
    before?.close();
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#open();
    }, GATHER);
  }

  #open() {
    this.#followed = [...this.#positions.keys()];
    if (this.#followed.length === 0) {
      clearTimeout(this.#renewal);
      this.#become({ phase: "closed", failures: 0 });
      return;
    }
    const { base, bearer, silence, retry } = this.#settings;
    const query = this.#followed.map((topic) => `topic=${encodeURIComponent(topic)}`).join("&");
    const stream = new EventStream(`${base}/events?${query}&envelope=true`, {
      lastEventId: this.#followed.map((topic) => this.#positions.get(topic)).join("~"),
      silence,
      retry,
      ...(bearer && { fetch: this.#fetch }),
      onEvents: (events) => this.#stream === stream && this.#take(events),
      onState: (state) => this.#stream === stream && this.#become(state),
    });
    this.#stream = stream;
    this.#become(stream.state);
  }

  /** @param {import("./decoder.js").ServerSentEvent[]} received */
  #take(received) {
    /** @type {Received[]} */
    const events = [];
    for (const { data, id } of received) {
      const event = /** @type {Received} */ (JSON.parse(data));
      const was = this.#positions.get(event.topic);
      if (was === undefined) continue;
      this.#moveTo(id);
      const at = this.#positions.get(event.topic);
      events.push(event.type === "tidings.reset" ? { ...event, at, was } : event);
      if (event.type === "tidings.end") this.#end(event.topic);
    }
    if (events.length > 0) this.#send({ events });
  }

  /** One id restores every position. @param {string} id */
  #moveTo(id) {
    const offsets = id.split("~");
    if (offsets.length !== this.#followed.length) return;
    this.#followed.forEach((topic, n) => this.#positions.has(topic) && this.#positions.set(topic, offsets[n]));
  }

  /** The server forgets the topic by itself; the next connection leaves it out. @param {string} topic */
  #end(topic) {
    this.#positions.delete(topic);
    for (const topics of this.#tabs.values()) topics.delete(topic);
    if (this.#positions.size === 0) this.#changed();
  }

  /** @param {import("./stream.js").State} state */
  #become(state) {
    if (this.#closed) return;
    this.#state = state;
    if (state.phase === "open") this.#accepted = this.#followed;
    if (state.phase === "closed" && this.#followed.length > 0) this.#over(state.problem);
    this.#tell();
  }

  /**
   * The server has ended the stream: all its topics are closed and read, or it is refused. Then the topic that the
   * problem names is to blame, or those that came since all was well, and the others go on.
   * @param {import("./http.js").Problem} [problem]
   */
  #over(problem) {
    const named = this.#followed.filter((topic) => topic === problem?.members.topic);
    const fresh = this.#followed.filter((topic) => !problem || !this.#accepted.includes(topic));
    const blamed = named.length > 0 ? named : fresh;
    if (problem?.status === 401 || blamed.length === 0) return;
    const events = blamed.map((topic) => ended(topic, this.#positions.get(topic)));
    for (const topic of blamed) this.#end(topic);
    this.#state = { phase: "connecting", failures: 0 };
    this.#changed();
    this.#send(problem ? { refused: { topics: blamed, problem: plain(problem) } } : { events });
  }

  #tell() {
    const { problem, ...state } = this.#state;
    const counts = { topics: this.#positions.size, tabs: this.#tabs.size, by: this.#by };
    this.#send({ state: { ...state, ...(problem && { problem: plain(problem) }), ...counts } });
  }

  /** @type {typeof fetch} */
  #fetch = async (url, init) => {
    const response = await this.#tokens.fetch(url, init);
    this.#renewInTime();
    return response;
  };

  #renewInTime() {
    clearTimeout(this.#renewal);
    if (this.#closed) return;
    // A longer time than setTimeout can take would be over at once.
    const wait = Math.min(Math.max(this.#tokens.renewAt - Date.now(), 1000), 2 ** 31 - 1);
    this.#renewal = setTimeout(() => this.#renew(), wait);
  }

  /** Come back with a fresh token before the server ends the stream. The old connection stays until it is there. */
  async #renew() {
    // When there is none to be had, the server will end the stream, and it is asked for again with growing waits.
    const fresh = await this.#tokens.renew().catch(() => false);
    if (fresh && this.#state.phase === "open") this.#stream?.reconnect();
    else this.#renewInTime();
  }

  /** Ask one tab, and another one the next time. @param {string} refused @returns {Promise<string>} */
  #ask(refused) {
    const [[to, topics]] = this.#tabs;
    this.#tabs.delete(to);
    this.#tabs.set(to, topics);
    return new Promise((resolve, reject) => {
      this.#answer = (token) => (token ? resolve(token) : reject(new Error("no token")));
      setTimeout(this.#answer, PATIENCE);
      this.#send({ to, ask: { refused } });
    });
  }
}

/** @param {import("./http.js").Problem} problem @returns {Refusal} as it can be sent to another tab */
const plain = ({ status, title, message, members }) => [status, title, message, members];

/** @param {string} topic @param {string} [offset] @returns {Received} */
const ended = (topic, offset) => ({ topic, offset: null, type: "tidings.end", time: 0, data: { topic, offset } });
