import { Attempts, headerId, isEventStream, isFinal, retryAfter } from "./attempts.js";
import { Decoder } from "./decoder.js";
import { Problem, problemOf } from "./http.js";

/**
 * @typedef {object} State
 * @property {"connecting" | "open" | "waiting" | "closed"} phase
 * @property {number} failures connections in a row that brought nothing
 * @property {string} [url] open: the address of the answer, after redirects
 * @property {number} [retryAt] waiting: when the next attempt begins, in milliseconds since 1970
 * @property {Problem} [problem] closed: the reason. Absent when the server ended the stream with 204, or `close` was
 *   called
 */

/**
 * @typedef {object} Options
 * @property {string} [lastEventId]
 * @property {(events: import("./decoder.js").ServerSentEvent[]) => void} onEvents called with the events of one network
 *   chunk, in order
 * @property {(state: State) => void} [onState]
 * @property {AbortSignal} [signal] closes the stream
 * @property {typeof fetch} [fetch]
 * @property {number} [silence] milliseconds without a byte after which a connection counts as dead
 * @property {number} [retry] milliseconds that the first wait may take, until the server asks for another time
 * @property {boolean} [patient] try again after an answer that another attempt may change: 5xx, 408, 425, 429, and any
 *   answer that is no event stream. `false` is the standard's way: every answer but an event stream is the end
 */

/**
 * An event stream that stays open: after each break it connects again with the last event ID.
 *
 * A connection that brings no byte for 40 s is given up, because servers send a comment every 15 s. An answer of 204
 * ends the stream, and so does a refusal that another attempt would not change.
 */
export class EventStream {
  /** @type {State} */
  state = { phase: "connecting", failures: 0 };

  #url;
  #options;
  #attempts;
  #closed = new AbortController();

  /**
   * @param {string} url
   * @param {Options} options
   */
  constructor(url, options) {
    const { lastEventId, silence = 40_000, retry = 1000, signal } = options;
    this.#url = url;
    this.#options = options;
    this.#attempts = new Attempts(this.#request, { lastEventId, silence, retry }, this.#closed.signal);
    signal?.addEventListener("abort", () => this.close(), { once: true });
    if (signal?.aborted) this.close();
    else queueMicrotask(() => this.#run());
  }

  /** The ID that the next connection presents. */
  get lastEventId() {
    return this.#attempts.lastEventId;
  }

  close() {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#become({ phase: "closed", failures: 0 });
  }

  /** Connect again now, in place of the connection or the wait under way. */
  reconnect() {
    this.#attempts.interrupt();
  }

  async #run() {
    const attempts = this.#attempts;
    while (!this.#closed.signal.aborted) {
      this.#become({ phase: "connecting", failures: attempts.failures });
      const { over, problem, after } = await this.#connect();
      if (this.#closed.signal.aborted) return;
      if (over) {
        this.#closed.abort();
        this.#become({ phase: "closed", failures: attempts.failures, problem });
        return;
      }
      const wait = attempts.ended(after);
      if (wait === null) continue;
      this.#become({ phase: "waiting", failures: attempts.failures, retryAt: Date.now() + wait });
      await attempts.wait(wait);
    }
  }

  /**
   * Open a connection and read it to its end.
   * @returns {Promise<{over?: boolean, problem?: Problem, after?: number}>} `after`: milliseconds that the server asked
   *   to wait
   */
  async #connect() {
    const attempts = this.#attempts;
    try {
      const response = await attempts.open();
      if (response.status === 204) return { over: true };
      if (!isEventStream(response)) return await attempts.inTime(refused(response, this.#options.patient ?? true));
      this.#become({ phase: "open", failures: attempts.failures, url: response.url || this.#url });
      attempts.use(response);
      const decoder = new Decoder(attempts.lastEventId);
      for (let bytes; (bytes = await attempts.read());) {
        const events = decoder.feed(bytes);
        attempts.heard(decoder);
        if (events.length > 0 && !this.#closed.signal.aborted) this.#deliver(events);
      }
      return {};
    } catch {
      // Whether it was refused, reset or aborted, the answer is to try again; but an address that needs no network
      // would only fail the same way.
      return { over: /^(?!https?:)[a-z][a-z0-9+.-]*:/i.test(this.#url) };
    }
  }

  /** @param {string} lastEventId @param {AbortSignal} signal */
  #request = (lastEventId, signal) => {
    const headers = new Headers({ Accept: "text/event-stream" });
    if (lastEventId) headers.set("Last-Event-ID", headerId(lastEventId));
    return (this.#options.fetch ?? fetch)(this.#url, { headers, cache: "no-store", signal });
  };

  /**
   * Report a mistake in the reader's code, which must not be taken for a lost connection.
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
 * Decide what an answer that is no event stream means.
 * @param {Response} response
 * @param {boolean} patient
 */
async function refused(response, patient) {
  const { status } = response;
  const over = !patient || isFinal(status);
  if (over && status >= 400) return { over, problem: await problemOf(response) };
  await response.body?.cancel();
  if (over) return { over, problem: new Problem(status, "The answer is no event stream.", "") };
  return { after: retryAfter(response) };
}
