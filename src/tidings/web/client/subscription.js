import { concerns, ORIGIN, standing } from "./offset.js";

/** Events that may wait for an iterator to take them. Beyond, its topic is left, and followed again from there. */
const MOST_WAITING = 1000;

/**
 * @typedef {object} Event
 * @property {string} topic
 * @property {string | null} offset null for a transient event
 * @property {string} type
 * @property {number} time Unix seconds
 * @property {any} data
 */

/**
 * Events after `position` are gone: retention trimmed the log, or it was deleted, or begun anew. An iterator throws it;
 * what there still is comes to who subscribes again after `offset`.
 */
export class Reset extends Error {
  /**
   * @param {string} topic
   * @param {"trimmed" | "deleted" | "recreated"} reason
   * @param {string | null} earliest the offset of the first event there is
   * @param {string} position the last event that was read
   * @param {string} offset where to go on
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
 * How a subscription is read. With `onEvents` it begins at once, and `onReset` must be there; without, it is an
 * iterator and begins when it is iterated.
 *
 * @typedef {object} Reading
 * @property {string} [after] an offset; by default everything is read
 * @property {(events: Event[]) => void} [onEvents] in order, none twice, also across reconnects
 * @property {(reset: Reset) => void} [onReset] events are gone; it goes on at `earliest`
 * @property {() => void} [onEnd] the topic is closed and read; the subscription is over
 * @property {(error: Error) => void} [onError] the server refused the topic; the subscription is over. Without it, the
 *   error is reported as an uncaught one
 */

/**
 * @typedef {object} Line to the connection
 * @property {(subscription: Subscription) => void} follow from its position on
 * @property {(subscription: Subscription) => void} leave
 */

/**
 * One reader of one topic, and how far it is. Made by `Tidings.subscribe`.
 *
 * @implements {AsyncIterable<Event>}
 */
export class Subscription {
  /** The offset up to which events were received. With an iterator, some of them may wait to be taken. */
  position;

  #line;
  #reading;
  /** @type {Event[]} */
  #waiting = [];
  #paused = false;
  /** A gap was seen and the events in it were asked for. */
  #asked = false;
  #begun = false;
  /** @type {{error?: Error} | null} */
  #over = null;
  #wake = () => {};

  /**
   * @param {string} topic
   * @param {Reading} reading
   * @param {Line} line
   */
  constructor(topic, reading, line) {
    if (reading.onEvents && !reading.onReset) throw new TypeError("onEvents needs onReset beside it");
    this.topic = topic;
    this.position = reading.after ?? ORIGIN;
    this.#reading = reading;
    this.#line = line;
    if (reading.onEvents) this.#begin();
  }

  #begin() {
    if (this.#begun) throw new TypeError("it is being read already");
    this.#begun = true;
    if (!this.#over) this.#line.follow(this);
  }

  /** Stop. An iterator ends. */
  close() {
    this.#end();
  }

  /**
   * What the connection received, of any topic. It may come twice, or begin too late.
   * @param {import("./connection.js").Received[]} events
   */
  take(events) {
    /** @type {Event[]} */
    let fresh = [];
    for (const event of events) {
      if (this.#over || this.#paused) break;
      if (event.topic !== this.topic) continue;
      if (event.type.startsWith("tidings.")) {
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
    const { onEvents, onError } = this.#reading;
    this.#end(error);
    if (onError) onError(error);
    else if (onEvents) report(error);
  }

  /** The whole connection is refused. Callbacks wait until it is tried again. @param {Error} error */
  interrupt(error) {
    if (!this.#reading.onEvents) this.fail(error);
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
          this.#line.follow(this);
        }
        await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      }
    } finally {
      this.close();
    }
  }

  /** @param {string} offset */
  #isNext(offset) {
    const found = standing(this.position, offset);
    if (found === "next") {
      this.position = offset;
      this.#asked = false;
    } else if (found === "gap") this.#again();
    return found === "next";
  }

  /** Ask for what is missing, once: it may be on its way already. */
  #again() {
    if (this.#asked) return;
    this.#asked = true;
    this.#line.follow(this);
  }

  /** @param {Event[]} events */
  #hand(events) {
    if (events.length === 0) return;
    if (this.#reading.onEvents) guarded(() => this.#reading.onEvents?.(events));
    else {
      this.#waiting.push(...events);
      if (this.#waiting.length > MOST_WAITING) {
        this.#paused = true;
        this.#line.leave(this);
      }
      this.#wake();
    }
  }

  /** @param {import("./connection.js").Received} event */
  #notice(event) {
    const { type, data } = event;
    if (type === "tidings.end") {
      if (standing(this.position, data.offset) !== "old") return this.#again();
      this.#end();
      guarded(() => this.#reading.onEnd?.());
    } else if (type === "tidings.reset" && concerns(this.position, event)) {
      const { onReset } = this.#reading;
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
    if (this.#begun) this.#line.leave(this);
    this.#wake();
  }
}

/** A mistake in the reader's code is reported, and does not stop what comes after it. @param {() => void} call */
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
