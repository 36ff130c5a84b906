import { Decoder } from "./decoder.js";
import { backOff, isEventStream, isFinal, LONGEST_TIMER, pause, resendable, utf8 } from "./stream.js";

/**
 * @typedef {object} ResumableOptions
 * @property {number} [failures] attempts in a row that bring nothing, after which the error that cut it is passed on
 * @property {number} [retry] milliseconds the first wait may take, until the server says otherwise
 * @property {number} [silence] milliseconds without a byte after which the connection of an event stream counts as cut;
 *   none by default, for a server need not send anything, and one without ids could not be resumed
 */

/**
 * A `fetch` for any library that reads an event stream through one: a connection that is cut is resumed by
 * `Last-Event-ID`, and the library reads one unbroken stream, no event of it twice and none cut short.
 *
 * Only event streams are touched. Events are handed on when they are whole; what a cut leaves of one is dropped, for it
 * comes again. A clean end is the end, and so is a 204. The caller's signal ends everything at once.
 *
 * A request other than GET gets an `Idempotency-Key`, unless it has one, and is asked again with the same: where the
 * server honours it, what the request starts is started once, also when it is cut before the first id. A stream that has
 * brought events but no id cannot be resumed, nor a request whose body can be sent only once: their error is passed on.
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
    if (!["GET", "HEAD"].includes(method) && !headers.has("Idempotency-Key")) headers.set("Idempotency-Key", key());
    const stop = new AbortController();
    const signal = init?.signal ?? request?.signal;
    signal?.addEventListener("abort", () => stop.abort(signal.reason), { once: true, signal: stop.signal });
    if (signal?.aborted) stop.abort(signal.reason);

    /** @type {Ask} */
    const ask = (lastEventId, signal) => {
      if (lastEventId) headers.set("Last-Event-ID", utf8(lastEventId));
      return fetch(request ? request.clone() : input, { ...init, headers, signal });
    };
    const attempts = new Attempts(ask, { failures, retry, silence }, stop.signal);
    const response = await attempts.first();
    if (!isEventStream(response)) return response;
    const body = new Spliced(response, attempts, stop);
    // Asked for one piece at a time, so that nothing waits in a queue which an error would empty.
    return handedOn(response, new ReadableStream(body, { highWaterMark: 0 }));
  };
}

/** @typedef {(lastEventId: string, signal: AbortSignal) => Promise<Response>} Ask */

/** Requests for one stream, with growing waits between those that bring nothing. */
class Attempts {
  /** The reconnection time the server asked for. @type {number | null} */
  told = null;

  #ask;
  #options;
  #signal;
  #failures = 0;
  /** Ends the one under way. */
  #connection = new AbortController();

  /**
   * @param {Ask} ask
   * @param {Required<ResumableOptions>} options
   * @param {AbortSignal} signal ends them all
   */
  constructor(ask, options, signal) {
    this.#ask = ask;
    this.#options = options;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#connection.abort(signal.reason));
  }

  /** The stream has brought something. */
  succeeded() {
    this.#failures = 0;
  }

  /** @returns {Promise<Response>} whatever is answered */
  async first() {
    try {
      return await this.#connect("");
    } catch (error) {
      return this.#next("", error, true);
    }
  }

  /**
   * @param {string} lastEventId
   * @param {unknown} error that made it necessary, thrown when there are to be no more attempts
   * @returns {Promise<Response>} an event stream, or an answer of 204
   */
  again(lastEventId, error) {
    return this.#next(lastEventId, error, false);
  }

  /**
   * @template T
   * @param {Promise<T>} bytes of an event stream's connection, which is given up when they are too long in coming
   */
  async inTime(bytes) {
    const { silence } = this.#options;
    // A timer for ever would keep a program in Node alive as long.
    if (silence > LONGEST_TIMER) return bytes;
    const giveUp = () => this.#connection.abort(new Error(`Nothing came for ${silence} ms.`));
    const timer = setTimeout(giveUp, silence);
    try {
      return await bytes;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {string} lastEventId */
  #connect(lastEventId) {
    this.#connection = new AbortController();
    if (this.#signal.aborted) this.#connection.abort(this.#signal.reason);
    return this.#ask(lastEventId, this.#connection.signal);
  }

  /**
   * @param {string} lastEventId
   * @param {unknown} error
   * @param {boolean} first what is answered need not be an event stream, and may take its time
   */
  async #next(lastEventId, error, first) {
    const { failures, retry } = this.#options;
    while (this.#failures < failures) {
      await pause(backOff(this.#failures, this.told, retry), this.#signal);
      if (this.#signal.aborted) break;
      this.#failures += 1;
      try {
        const asked = this.#connect(lastEventId);
        const response = await (first ? asked : this.inTime(asked));
        if (first || response.status === 204 || isEventStream(response)) return response;
        await response.body?.cancel();
        if (isFinal(response.status)) break;
      } catch {
        // No more than the wait for the next one.
      }
    }
    throw this.#signal.aborted ? this.#signal.reason : error;
  }
}

/** The body: the whole blocks of one response after the other. @implements {UnderlyingDefaultSource<Uint8Array>} */
class Spliced {
  #attempts;
  #stop;
  #reader;
  #decoder = new Decoder();
  #blocks = new Blocks();
  #events = 0;

  /**
   * @param {Response} response
   * @param {Attempts} attempts
   * @param {AbortController} stop
   */
  constructor(response, attempts, stop) {
    this.#reader = readerOf(response);
    this.#attempts = attempts;
    this.#stop = stop;
  }

  /** @param {ReadableStreamDefaultController<Uint8Array>} controller */
  async pull(controller) {
    for (;;) {
      try {
        const { done, value } = await this.#attempts.inTime(this.#reader.read());
        const bytes = done ? this.#blocks.rest() : this.#blocks.take(value);
        if (bytes.length > 0) {
          this.#hand(bytes, controller);
          if (!done) return;
        }
        if (done) {
          controller.close();
          return;
        }
      } catch (error) {
        if (!(await this.#resume(error))) {
          controller.close();
          return;
        }
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
    this.#events += this.#decoder.feed(bytes).length;
    this.#attempts.told = this.#decoder.retry ?? this.#attempts.told;
    this.#attempts.succeeded();
    controller.enqueue(bytes);
  }

  /**
   * @param {unknown} error that cut the stream; thrown when it is to be passed on
   * @returns {Promise<boolean>} false: the server says the stream is over
   */
  async #resume(error) {
    const { lastEventId } = this.#decoder;
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
    if (lastEventId === "" && this.#events > 0) throw error;
    const response = await this.#attempts.again(lastEventId, error);
    if (response.status === 204) return false;
    this.#reader = readerOf(response);
    this.#decoder = new Decoder(lastEventId);
    this.#blocks = new Blocks(true);
    return true;
  }
}

const LF = 10;
const CR = 13;
const COLON = 58;

/** Cuts an event stream where an event ends, or a comment outside of one. */
class Blocks {
  /** What came after the last cut. @type {Uint8Array[]} */
  #held = [];
  #unmark;
  #afterCr = false;
  /** The first byte of the line so far; 0: it has none. */
  #first = 0;
  /** Whether a line of the block so far is more than a comment. */
  #inside = false;

  /** @param {boolean} [unmark] take a byte order mark off the start: it is not at the start of what is spliced */
  constructor(unmark = false) {
    this.#unmark = unmark;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {Uint8Array} what can be handed on: nothing, or to the end of the last whole block
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

  /** @returns {Uint8Array} what is held back, and is no more */
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

/** @param {Response} response that has a body */
const readerOf = (response) => /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();

/**
 * The first answer, with a body that may be longer.
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

/** crypto.randomUUID is missing on plain http. */
const key = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
