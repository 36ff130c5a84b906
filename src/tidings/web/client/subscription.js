import { concerns, order, ORIGIN } from "./offset.js";

/** Events that may wait for an iterator. With more the topic is left, and followed again when they are taken. */
const MOST_WAITING = 1000;

/** The events of the connection itself. All others are events of the topic, also `tidings.redacted`. */
const NOTICES = new Set(["tidings.reset", "tidings.end"]);

/**
 * @typedef {object} Event
 * @property {string} topic
 * @property {string | null} offset null for a transient event
 * @property {string} type
 * @property {number} time Unix seconds
 * @property {any} data
 */

/**
 * Events after `position` are gone, because retention trimmed the log, or because it was deleted or created anew. An
 * iterator throws it; a new subscription after `offset` gets the events that are left.
 */
export class Reset extends Error {
  /**
   * @param {string} topic
   * @param {"trimmed" | "deleted" | "recreated"} reason
   * @param {string | null} earliest the offset of the first event that is left
   * @param {string} position the last event that was read
   * @param {string} offset the position from which to go on
   */
  constructor(topic, reason, earliest, position, offset) {
    super(`Events of ${topic} after ${position} are gone: ${reason}.`);
    this.name = "Reset";
    this.topic = topic;
    this.reason = reason;
    this.earliest = earliest;
    this.position = position;
    this.offset = offset;
  }
}

/**
 * Options of following a topic. With `onEvents` following begins at once, and `onReset` must be there; without it the
 * subscription is an iterator and begins with the iteration.
 *
 * @typedef {object} SubscribeOptions
 * @property {string | number} [after] where to begin: after an offset, at the "earliest" event, at the "tail", which
 *   brings only later events, or -N for the last N events. By default "tail"
 * @property {(events: Event[]) => void} [onEvents] called with events in order, each once, also across reconnects
 * @property {(reset: Reset) => void} [onReset] events are gone; the subscription goes on after them
 * @property {() => void} [onEnd] the topic is closed and read to its end; the subscription is over
 * @property {(error: Error) => void} [onError] the server refused the topic; the subscription is over. Without this
 *   callback the error is reported as an uncaught one
 */

/**
 * The connection, as a subscription uses it.
 * @typedef {object} ConnectionPort
 * @property {(topic: string, after: string | number) => Promise<string>} locate finds the position for a place to begin
 * @property {(subscription: Subscription) => void} follow brings the events after the subscription's position
 * @property {(subscription: Subscription) => void} leave
 */

/**
 * A reader of one topic, with its position. Made by `Tidings.subscribe`.
 *
 * @implements {AsyncIterable<Event>}
 */
export class Subscription {
  /** The offset of the last event received; with an iterator, some may still wait to be taken. "" until it is known. */
  position = "";

  #port;
  #options;
  /** @type {Event[]} */
  #waiting = [];
  #paused = false;
  /** A gap was seen, and its events were asked for. */
  #asked = false;
  #begun = false;
  /** @type {{error?: Error} | null} */
  #over = null;
  #wake = () => {};

  /**
   * @param {string} topic
   * @param {SubscribeOptions} options
   * @param {ConnectionPort} port
   */
  constructor(topic, options, port) {
    if (options.onEvents && !options.onReset) throw new TypeError("onEvents needs onReset beside it.");
    const { after = "tail" } = options;
    if (!isPlace(after)) throw new TypeError(`Not a place to begin: ${after}.`);
    this.topic = topic;
    if (isOffset(after)) this.position = after;
    this.#options = { ...options, after };
    this.#port = port;
    if (options.onEvents) this.#begin();
  }

  #begin() {
    if (this.#begun) throw new TypeError("The subscription is being read already.");
    this.#begun = true;
    if (this.position === "") void this.#locate();
    else if (!this.#over) this.#port.follow(this);
  }

  async #locate() {
    try {
      this.position = await this.#port.locate(this.topic, this.#options.after);
      if (!this.#over) this.#port.follow(this);
    } catch (error) {
      if (!this.#over) this.fail(/** @type {Error} */ (error));
    }
  }

  /** End the subscription. Its iterator ends. */
  close() {
    this.#end();
  }

  /**
   * Take the events of this topic that come next. The connection may bring events of other topics, events that were read
   * already, and events after a gap.
   * @param {import("./connection.js").ReceivedEvent[]} events
   */
  take(events) {
    /** @type {Event[]} */
    let fresh = [];
    for (const event of events) {
      if (this.#over || this.#paused || this.position === "") break;
      if (event.topic !== this.topic) continue;
      if (NOTICES.has(event.type)) {
        this.#hand(fresh);
        fresh = [];
        this.#notice(event);
      } else if (event.offset === null || this.#isNext(event.offset)) {
        fresh.push(event);
      }
    }
    this.#hand(fresh);
  }

  /** @param {Error} error the server refused the topic, or the whole connection */
  fail(error) {
    const { onEvents, onError } = this.#options;
    this.#end(error);
    if (onError) onError(error);
    else if (onEvents) report(error);
  }

  /** The server refused the whole connection. Iterators throw; callbacks wait for the next attempt. @param {Error} error */
  interrupt(error) {
    if (!this.#options.onEvents) this.fail(error);
  }

  async *[Symbol.asyncIterator]() {
    this.#begin();
    try {
      for (;;) {
        while (this.#waiting.length > 0) yield* this.#waiting.splice(0);
        if (this.#over?.error) throw this.#over.error;
        if (this.#over) return;
        if (this.#paused) {
          this.#paused = false;
          this.#port.follow(this);
        }
        await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      }
    } finally {
      this.close();
    }
  }

  /** @param {string} offset */
  #isNext(offset) {
    const place = order(this.position, offset);
    if (place === "next") {
      this.position = offset;
      this.#asked = false;
    } else if (place === "gap") this.#askAgain();
    return place === "next";
  }

  /** Ask once for the missing events, which may be on their way already. */
  #askAgain() {
    if (this.#asked) return;
    this.#asked = true;
    this.#port.follow(this);
  }

  /** @param {Event[]} events */
  #hand(events) {
    if (events.length === 0) return;
    if (this.#options.onEvents) guarded(() => this.#options.onEvents?.(events));
    else {
      this.#waiting.push(...events);
      if (this.#waiting.length > MOST_WAITING) {
        this.#paused = true;
        this.#port.leave(this);
      }
      this.#wake();
    }
  }

  /** @param {import("./connection.js").ReceivedEvent} event */
  #notice(event) {
    const { type, data } = event;
    if (type === "tidings.end") {
      if (order(this.position, data.offset) !== "old") return this.#askAgain();
      this.#end();
      guarded(() => this.#options.onEnd?.());
    } else if (type === "tidings.reset" && concerns(this.position, event)) {
      const { onReset } = this.#options;
      const at = event.at ?? ORIGIN;
      const reset = new Reset(this.topic, data.reason, data.earliest, this.position, at);
      this.position = at;
      this.#asked = false;
      if (onReset) guarded(() => onReset(reset));
      else this.#end(reset);
    }
  }

  /** @param {Error} [error] */
  #end(error) {
    if (this.#over) return;
    this.#over = { error };
    if (this.#begun) this.#port.leave(this);
    this.#wake();
  }
}

/** Call the reader's code. A mistake in it is reported, and does not stop later events. @param {() => void} call */
function guarded(call) {
  try {
    call();
  } catch (error) {
    report(error);
  }
}

/** @param {unknown} error */
function report(error) {
  queueMicrotask(() => {
    throw error;
  });
}

/** @param {string | number} after @returns {after is string} */
export const isOffset = (after) => /^[^~\s]+-\d+$/.test(String(after));

/** @param {string | number} after a place to begin */
const isPlace = (after) =>
  ["earliest", "tail"].includes(String(after)) || isOffset(after) || /^-\d+$/.test(String(after));
