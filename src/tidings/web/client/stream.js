import { Problem, problemOf } from "./http.js";
import { Decoder } from "./decoder.js";

/**
 * @typedef {object} State
 * @property {"connecting" | "open" | "waiting" | "closed"} phase
 * @property {number} failures connections in a row that brought nothing
 * @property {string} [url] open: where the answer came from, after redirects
 * @property {number} [retryAt] waiting: when the next attempt begins, in milliseconds since 1970
 * @property {Problem} [problem] closed: why. Absent: the server said the stream is over (204), or `close` was called
 */

/**
 * @typedef {object} Options
 * @property {string} [lastEventId]
 * @property {(events: import("./decoder.js").ServerSentEvent[]) => void} onEvents those of one network chunk, in order
 * @property {(state: State) => void} [onState]
 * @property {AbortSignal} [signal] closes the stream
 * @property {typeof fetch} [fetch]
 * @property {number} [silence] milliseconds without a byte after which a connection counts as dead
 * @property {number} [retry] milliseconds the first wait may take, until the server says otherwise
 * @property {boolean} [patient] whether to try again after an answer that another attempt may change: 5xx, 408, 425,
 *   429, and one that is no event stream. `false`: the standard's way, every answer but an event stream is the end
 */

const LONGEST_WAIT = 30_000;
/** setTimeout takes no longer time: it would be over at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * One event stream over fetch that stays open: it presents the last event ID, and waits before each attempt for the
 * time the server asked for, and after failures for a random part of a growing time more, so that the clients of a
 * restarted server do not come back all at once.
 *
 * A connection that brings no byte for 40 s is given up: servers send a comment every 15 s. An answer of 204 ends the
 * stream, and so does a refusal that another attempt would not change.
 */
export class EventStream {
  /** @type {string} */
  lastEventId;
  /** @type {State} */
  state = { phase: "connecting", failures: 0 };

  #url;
  #options;
  /** The reconnection time the server asked for. @type {number | null} */
  #told = null;
  #again = false;
  #closed = new AbortController();
  /** Ends the connection or the wait under way. */
  #attempt = new AbortController();

  /**
   * @param {string} url
   * @param {Options} options
   */
  constructor(url, options) {
    this.#url = url;
    this.#options = options;
    this.lastEventId = options.lastEventId ?? "";
    options.signal?.addEventListener("abort", () => this.close(), { once: true });
    if (options.signal?.aborted) this.close();
    else queueMicrotask(() => this.#run());
  }

  close() {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#attempt.abort();
    this.#become({ phase: "closed", failures: 0 });
  }

  /** Try again now: give up the connection or the wait under way. */
  reconnect() {
    this.#again = true;
    this.#attempt.abort();
  }

  async #run() {
    for (let failures = 0; !this.#closed.signal.aborted;) {
      this.#attempt = new AbortController();
      this.#become({ phase: "connecting", failures });
      const { over, problem, heard, after } = await this.#connect(failures);
      if (this.#closed.signal.aborted) return;
      if (over) {
        this.#closed.abort();
        this.#become({ phase: "closed", failures, problem });
        return;
      }
      if (heard) failures = 0;
      if (this.#again) {
        this.#again = false;
        continue;
      }
      if (!heard) failures += 1;
      const wait = Math.min(after ?? backOff(failures, this.#told, this.#options.retry), LONGEST_TIMER);
      this.#attempt = new AbortController();
      this.#become({ phase: "waiting", failures, retryAt: Date.now() + wait });
      await pause(wait, this.#attempt.signal);
      this.#again = false;
    }
  }

  /**
   * One connection, to its end, whatever ends it.
   * @param {number} failures
   * @returns {Promise<{over?: boolean, problem?: Problem, heard?: boolean, after?: number}>} `after`: milliseconds the
   *   server asked to wait
   */
  async #connect(failures) {
    const { silence = 40_000, patient = true } = this.#options;
    const watch = () => (silence > LONGEST_TIMER ? undefined : setTimeout(() => this.#attempt.abort(), silence));
    let watchdog = watch();
    let heard = false;
    try {
      const headers = new Headers({ Accept: "text/event-stream" });
      if (this.lastEventId) headers.set("Last-Event-ID", utf8(this.lastEventId));
      const response = await (this.#options.fetch ?? fetch)(this.#url, {
        headers,
        cache: "no-store",
        signal: this.#attempt.signal,
      });
      if (response.status === 204) return { over: true };
      if (!isEventStream(response)) return await refused(response, patient);
      this.#become({ phase: "open", failures, url: response.url || this.#url });
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      const decoder = new Decoder(this.lastEventId);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return { heard };
        heard = true;
        clearTimeout(watchdog);
        watchdog = watch();
        const events = decoder.feed(value);
        this.lastEventId = decoder.lastEventId;
        this.#told = decoder.retry ?? this.#told;
        if (events.length > 0 && !this.#closed.signal.aborted) this.#deliver(events);
        // A read that begins after the abort never ends in Node 20, and would hold a program until the watchdog barks.
        if (this.#attempt.signal.aborted) return { heard };
      }
    } catch {
      // Refused, reset, aborted: whatever it was, the answer is to try again, save for what is asked of no network.
      return { heard, over: /^(?!https?:)[a-z][a-z0-9+.-]*:/i.test(this.#url) };
    } finally {
      clearTimeout(watchdog);
    }
  }

  /**
   * A mistake in the reader's code is reported, and is not taken for a lost connection.
   * @param {import("./decoder.js").ServerSentEvent[]} events
   */
  #deliver(events) {
    try {
      this.#options.onEvents(events);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** @param {State} state */
  #become(state) {
    this.state = state;
    this.#options.onState?.(state);
  }
}

/**
 * A header's value is bytes, one in each character, and an ID's bytes are those of UTF-8.
 * @param {string} id
 */
export const utf8 = (id) => Array.from(new TextEncoder().encode(id), (byte) => String.fromCharCode(byte)).join("");

/** @param {Response} response */
export function isEventStream({ status, headers, body }) {
  const type = headers.get("Content-Type") ?? "";
  return status === 200 && body !== null && type.split(";")[0].trim().toLowerCase() === "text/event-stream";
}

/** @param {number} status @returns {boolean} whether another attempt would be answered the same */
export const isFinal = (status) => status >= 400 && status < 500 && ![408, 425, 429].includes(status);

/** @param {unknown} body of a request @returns {boolean} whether it can be sent again, and is the same then */
export const resendable = (body) =>
  body == null ||
  typeof body === "string" ||
  [ArrayBuffer, Blob, FormData, URLSearchParams].some((kind) => body instanceof kind) ||
  ArrayBuffer.isView(body);

/**
 * What an answer that is no stream means.
 * @param {Response} response
 * @param {boolean} patient
 */
async function refused(response, patient) {
  const { status } = response;
  const over = !patient || isFinal(status);
  if (over && status >= 400) return { over, problem: await problemOf(response) };
  await response.body?.cancel();
  if (over) return { over, problem: new Problem(status, "The answer is no event stream.", "") };
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  return { after: Number.isFinite(seconds) ? Math.min(seconds * 1000, LONGEST_WAIT) : undefined };
}

/**
 * How long to wait. A time the server asks for is kept to within a tenth, lest those who lost it together come back
 * together.
 * @param {number} failures in a row
 * @param {number | null} told milliseconds the server asked for
 * @param {number} [first] milliseconds the first wait may take, when it asked for none
 */
export function backOff(failures, told, first = 1000) {
  const least = told === null ? first * Math.random() : told * (0.9 + 0.2 * Math.random());
  return least + Math.random() * Math.min(LONGEST_WAIT, Math.min(first, 1000) * (2 ** failures - 1));
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<void>}
 */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, Math.min(milliseconds, LONGEST_TIMER));
    signal.addEventListener("abort", over);
    if (signal.aborted) over();
  });
}
