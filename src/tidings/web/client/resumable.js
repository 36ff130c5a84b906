import { Attempts, headerId, isEventStream, isFinal, resendable, retryAfter } from "./attempts.js";
import { Decoder } from "./decoder.js";
import { newKey } from "./key.js";

/**
 * @typedef {object} ResumableOptions
 * @property {number} [failures] attempts in a row that bring nothing, after which the error that cut the stream is passed
 *   on
 * @property {number} [retry] milliseconds that the first wait may take, until the server asks for another time
 * @property {number} [silence] milliseconds without a byte after which the connection of an event stream counts as cut.
 *   By default there is no limit: a server need not send anything, and a stream without IDs could not be resumed
 */

/**
 * A `fetch` for any library that reads an event stream through one. A connection that is cut is resumed by
 * `Last-Event-ID`, and the library reads one unbroken stream, with no event twice and none cut short.
 *
 * Only event streams are touched. Events are handed on when they are whole; a half event at a cut is dropped, because it
 * comes again. The caller's signal ends everything at once.
 *
 * The end is a 204, or a clean end of the body after `[DONE]` or an event that says so. WebKit takes some cuts for a clean
 * end, and so does Node after `Connection: close`. So a clean end without such an event is asked about once more if the
 * server expects its client back, that is if it has sent an ID and a reconnection time (`retry:`). A second clean end
 * that brought nothing new is the end.
 *
 * A request other than GET gets an `Idempotency-Key`, unless it has one, and every attempt sends the same key: a server
 * that honours the key starts what the request starts once, even when the stream is cut before its first ID. A stream
 * that has brought events but no ID cannot be resumed, nor can a request whose body can be sent only once. Their errors
 * are passed on.
 *
 * @param {typeof globalThis.fetch} [fetch]
 * @param {ResumableOptions} [options]
 * @returns {typeof globalThis.fetch}
 */
export function resumableFetch(fetch = globalThis.fetch, { failures = 5, retry = 1000, silence = Infinity } = {}) {
  return async (input, init) => {
    if (!resendable(init?.body)) return fetch(input, init);
    const request = input instanceof Request ? input : null;
    const headers = new Headers(init?.headers ?? request?.headers);
    const method = (init?.method ?? request?.method ?? "GET").toUpperCase();
    if (!["GET", "HEAD"].includes(method) && !headers.has("Idempotency-Key")) headers.set("Idempotency-Key", newKey());
    const stop = new AbortController();
    const signal = init?.signal ?? request?.signal;
    signal?.addEventListener("abort", () => stop.abort(signal.reason), { once: true, signal: stop.signal });
    if (signal?.aborted) stop.abort(signal.reason);

    const ask = (/** @type {string} */ lastEventId, /** @type {AbortSignal} */ signal) => {
      if (lastEventId) headers.set("Last-Event-ID", headerId(lastEventId));
      return fetch(request ? request.clone() : input, { ...init, headers, signal });
    };
    const spliced = new Spliced(new Attempts(ask, { retry, silence }, stop.signal), failures, stop);
    const response = await spliced.first();
    if (!isEventStream(response)) return response;
    // The reader asks for one piece at a time, so that nothing waits in a queue that an error would empty.
    return handedOn(response, new ReadableStream(spliced, { highWaterMark: 0 }));
  };
}

/** A body made of the whole blocks of one response after the other. @implements {UnderlyingDefaultSource<Uint8Array>} */
class Spliced {
  #attempts;
  #mostFailures;
  #stop;
  #decoder = new Decoder();
  #blocks = new Blocks();
  #events = 0;
  /** The newest event says that it is the last. */
  #over = false;
  /** The number of events at the newest clean end. */
  #stoppedAt = 0;

  /**
   * @param {Attempts} attempts
   * @param {number} mostFailures
   * @param {AbortController} stop
   */
  constructor(attempts, mostFailures, stop) {
    this.#attempts = attempts;
    this.#mostFailures = mostFailures;
    this.#stop = stop;
  }

  /** @returns {Promise<Response>} the first answer, which may be anything and may take its time */
  async first() {
    for (;;) {
      try {
        const response = await this.#attempts.open(true);
        if (isEventStream(response)) this.#attempts.use(response);
        return response;
      } catch (error) {
        await this.#wait(error);
      }
    }
  }

  /** @param {ReadableStreamDefaultController<Uint8Array>} controller */
  async pull(controller) {
    for (;;) {
      try {
        const read = await this.#attempts.read();
        if (!read && this.#isDoubtful()) throw new Stopped();
        const bytes = read ? this.#blocks.take(read) : this.#blocks.rest();
        if (bytes.length > 0) {
          this.#hand(bytes, controller);
          if (read) return;
        }
        if (!read) return controller.close();
      } catch (error) {
        if (!(await this.#resume(error))) return controller.close();
      }
    }
  }

  /** @param {unknown} reason */
  cancel(reason) {
    this.#stop.abort(reason);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {ReadableStreamDefaultController<Uint8Array>} controller
   */
  #hand(bytes, controller) {
    const events = this.#decoder.feed(bytes);
    if (events.length > 0) this.#over = isLast(events[events.length - 1]);
    this.#events += events.length;
    this.#attempts.heard(this.#decoder);
    controller.enqueue(bytes);
  }

  /** @returns {boolean} a clean end now may be a cut that no further request has ruled out yet */
  #isDoubtful() {
    if (this.#over || this.#attempts.lastEventId === "" || !this.#attempts.invited) return false;
    const asked = this.#stoppedAt === this.#events;
    this.#stoppedAt = this.#events;
    return !asked;
  }

  /**
   * @param {unknown} error that cut the stream; thrown when the stream cannot be resumed
   * @returns {Promise<boolean>} false: the server says that the stream is over
   */
  async #resume(error) {
    const { lastEventId } = this.#attempts;
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
    if (lastEventId === "" && this.#events > 0) throw error;
    for (let after = error instanceof Stopped ? 0 : undefined; ;) {
      await this.#wait(error, after);
      const response = await this.#attempts.open().catch(() => null);
      if (response?.status === 204) return false;
      if (response && isEventStream(response)) {
        this.#attempts.use(response);
        this.#decoder = new Decoder(lastEventId);
        this.#blocks = new Blocks(true);
        return true;
      }
      await response?.body?.cancel();
      if (response && isFinal(response.status)) throw error;
      after = response ? retryAfter(response) : undefined;
    }
  }

  /**
   * Wait before the next attempt.
   * @param {unknown} error thrown when there were too many failures
   * @param {number} [retryAfter]
   */
  async #wait(error, retryAfter) {
    const wait = this.#attempts.ended(retryAfter) ?? 0;
    const { signal } = this.#stop;
    if (!signal.aborted && this.#attempts.failures >= this.#mostFailures) throw error;
    await this.#attempts.wait(wait);
    if (signal.aborted) throw signal.reason;
  }
}

/** A clean end before the last event. */
class Stopped extends Error {
  constructor() {
    super("The stream stopped before its end.");
  }
}

/** @param {import("./decoder.js").ServerSentEvent} event `~` joins the positions of several topics, which end one by one */
const isLast = ({ type, data, id }) => data === "[DONE]" || (type === "tidings.end" && !id.includes("~"));

const LF = 10;
const CR = 13;
const COLON = 58;

/** Cuts an event stream after whole events, and after comments between events. */
class Blocks {
  /** The bytes after the last cut. @type {Uint8Array[]} */
  #held = [];
  #unmark;
  #afterCr = false;
  /** The first byte of the line so far; 0 for an empty line. */
  #first = 0;
  /** The block so far has a line that is more than a comment. */
  #inside = false;

  /** @param {boolean} [unmark] remove a byte order mark: only the first response is at the start of the stream */
  constructor(unmark = false) {
    this.#unmark = unmark;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Uint8Array} the bytes up to the end of the last whole block
   */
  take(bytes) {
    let end = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte !== LF && byte !== CR) {
        if (this.#first === 0) this.#first = byte || 1; // a NUL begins a line too
        this.#afterCr = false;
      } else if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        if (end === at) end = at + 1;
      } else {
        this.#afterCr = byte === CR;
        if (this.#first === 0 || (this.#first === COLON && !this.#inside)) end = at + 1;
        this.#inside = this.#first !== 0 && (this.#inside || this.#first !== COLON);
        this.#first = 0;
      }
    }
    this.#held.push(bytes.subarray(0, end));
    const whole = end > 0 ? this.rest() : NOTHING;
    this.#held.push(bytes.subarray(end));
    return whole;
  }

  /** @returns {Uint8Array} the bytes that were held back */
  rest() {
    let bytes = joined(this.#held.splice(0));
    if (this.#unmark && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    this.#unmark = false;
    return bytes;
  }
}

const NOTHING = new Uint8Array(0);

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A copy of the first answer with another body.
 * @param {Response} first
 * @param {ReadableStream<Uint8Array>} body
 */
function handedOn(first, body) {
  const headers = new Headers(first.headers);
  headers.delete("Content-Length");
  const response = new Response(body, { status: first.status, statusText: first.statusText, headers });
  return Object.defineProperties(response, {
    url: { value: first.url },
    redirected: { value: first.redirected },
  });
}
