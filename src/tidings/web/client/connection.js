import { LONGEST_TIMER } from "./attempts.js";
import { EventStream } from "./stream.js";
import { order } from "./offset.js";
import { Tokens } from "./token.js";

/** The most topics that one connection follows. */
export const MOST_TOPICS = 32;

/** Milliseconds in which changes of the topics are gathered, so that the requests of several tabs make one connection. */
const GATHER = 10;

/** Milliseconds that a tab has to answer when it is asked for a token. */
const PATIENCE = 10_000;

/**
 * A message from a tab to the holder of the connection.
 * @typedef {object} TabMessage
 * @property {string} from the tab's name
 * @property {Record<string, string>} [follow] topics, each with the position after which the tab needs its events. A tab
 *   repeats a topic to get events again
 * @property {string[]} [unfollow]
 * @property {true} [reconnect]
 * @property {string | null} [token] the answer to `ask`; null when the tab has none
 * @property {true} [leave]
 */

/**
 * A message from the holder of the connection to all tabs, or to the tab in `to`.
 * @typedef {object} HolderMessage
 * @property {string} [to]
 * @property {true} [hello] the holder is new: each tab repeats what it follows
 * @property {ReceivedEvent[]} [events]
 * @property {ConnectionState} [state]
 * @property {{topics: string[], problem: ProblemParts}} [refused]
 * @property {{refused: string}} [ask] asks the tab for a token other than the refused one, which may be ""
 * @property {true} [alone] the connection has no place for the tab's topics: the tab makes its own connection
 */

/**
 * An event as the server sent it. A reset has the connection's position before it (`was`) and after it (`at`).
 * @typedef {import("./subscription.js").Event & {at?: string, was?: string}} ReceivedEvent
 */

/** @typedef {[number, string, string, Record<string, unknown>]} ProblemParts the arguments that make a Problem again */

/**
 * The state of the connection, as it can be sent to another tab.
 * @typedef {Omit<import("./stream.js").State, "problem"> & {problem?: ProblemParts, topics: number, tabs: number, by: By}} ConnectionState
 */

/** @typedef {"worker" | "tab" | "self"} By the holder: a shared worker, one tab for all, or each client for itself */

/**
 * @typedef {object} Settings
 * @property {string} base the server's address, without a final slash
 * @property {boolean} [bearer] tabs have tokens
 * @property {number} [silence]
 * @property {number} [retry]
 */

/**
 * The event stream of all tabs.
 *
 * The stream's position in a topic is the earliest that any tab has asked for; tabs that are further drop the events
 * that they have. So every tab gets every event once, no matter when it came and which tab held the connection before.
 */
export class Connection {
  #settings;
  #by;
  #send;
  /** The topics of each tab. @type {Map<string, Set<string>>} */
  #tabs = new Map();
  /** The connection's position in each topic. @type {Map<string, string>} */
  #positions = new Map();
  /** The topics of the stream, in the order of its ids. @type {string[]} */
  #followed = [];
  /** The topics that the server has accepted. @type {string[]} */
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
   * @param {(message: HolderMessage) => void} send
   */
  constructor(settings, by, send) {
    this.#settings = settings;
    this.#by = by;
    this.#send = send;
  }

  /** @param {TabMessage} message */
  receive({ from, follow = {}, unfollow = [], reconnect, token, leave }) {
    const topics = this.#tabs.get(from) ?? new Set();
    for (const topic of leave ? [...topics] : unfollow) topics.delete(topic);
    if (leave) this.#tabs.delete(from);
    else this.#tabs.set(from, topics);
    this.#dropUnfollowed();
    if (new Set([...this.#positions.keys(), ...Object.keys(follow)]).size > MOST_TOPICS) {
      this.#send({ to: from, alone: true });
      return;
    }
    for (const [topic, position] of Object.entries(follow)) {
      topics.add(topic);
      this.#follow(topic, position);
    }
    if (token !== undefined) this.#answer(token);
    else if (reconnect) this.#reconnect();
    else this.#announce();
  }

  /** End without a message to the tabs: another holder takes over. */
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
    if (here !== undefined && order(position, here) === "old") return;
    this.#positions.set(topic, position);
    this.#changed();
  }

  /** Leave out the topics that no tab follows. */
  #dropUnfollowed() {
    const wanted = new Set([...this.#tabs.values()].flatMap((topics) => [...topics]));
    for (const topic of this.#positions.keys()) {
      if (!wanted.has(topic) && this.#positions.delete(topic)) this.#changed();
    }
  }

  #reconnect() {
    if (this.#stream && this.#state.phase !== "closed") this.#stream.reconnect();
    else this.#changed();
  }

  #changed() {
    const before = this.#stream;
    this.#stream = null; // events that it still brings would move the positions that were asked for
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
    /** @type {ReceivedEvent[]} */
    const events = [];
    for (const { data, id } of received) {
      const event = /** @type {ReceivedEvent} */ (JSON.parse(data));
      const was = this.#positions.get(event.topic);
      if (was === undefined) continue;
      this.#moveTo(id);
      const at = this.#positions.get(event.topic);
      events.push(event.type === "tidings.reset" ? { ...event, at, was } : event);
      if (event.type === "tidings.end") this.#end(event.topic);
    }
    if (events.length > 0) this.#send({ events });
  }

  /** Take over the position of every topic from one event ID. @param {string} id */
  #moveTo(id) {
    const offsets = id.split("~");
    if (offsets.length !== this.#followed.length) return;
    this.#followed.forEach((topic, n) => this.#positions.has(topic) && this.#positions.set(topic, offsets[n]));
  }

  /** A topic is over. The server has dropped it from the stream; the next connection leaves it out. @param {string} topic */
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
    if (state.phase === "closed" && this.#followed.length > 0) this.#streamEnded(state.problem);
    this.#announce();
  }

  /**
   * The server has ended the stream, because all its topics are closed and read, or with a refusal. A refusal is due to
   * the topic that the problem names, else to the topics that were added since the last accepted request. The others
   * go on.
   * @param {import("./http.js").Problem} [problem]
   */
  #streamEnded(problem) {
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

  #announce() {
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
    // A timer for longer than setTimeout takes would fire at once.
    const wait = Math.min(Math.max(this.#tokens.renewAt - Date.now(), 1000), LONGEST_TIMER);
    this.#renewal = setTimeout(() => this.#renew(), wait);
  }

  /** Reconnect with a fresh token before the server ends the stream. The old connection stays until the token is there. */
  async #renew() {
    // Without a token the server will end the stream, and the attempts after that ask for a token with growing waits.
    const fresh = await this.#tokens.renew().catch(() => false);
    if (fresh && this.#state.phase === "open") this.#stream?.reconnect();
    else this.#renewInTime();
  }

  /** Ask one tab for a token, and another tab the next time. @param {string} refused @returns {Promise<string>} */
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

/** @param {import("./http.js").Problem} problem @returns {ProblemParts} */
const plain = ({ status, title, message, members }) => [status, title, message, members];

/** @param {string} topic @param {string} [offset] @returns {ReceivedEvent} */
const ended = (topic, offset) => ({ topic, offset: null, type: "tidings.end", time: 0, data: { topic, offset } });
