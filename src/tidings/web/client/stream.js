import { Problem, problemOf } from "./http.js";
import { Decoder } from "./decoder.js";

/**
 * @typedef {object} State
 * @property {"connecting" | "open" | "waiting" | "closed"} phase
 * @property {number} failures connections in a row that brought nothing
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
 */

const LONGEST_WAIT = 30_000;

/**
 * One event stream over fetch that stays open: it presents the last event ID, and waits a random part of a growing
 * time between attempts, so that the clients of a restarted server do not come back all at once.
 *
 * A connection that brings no byte for 40 s is given up: servers send a comment every 15 s. An answer of 204 ends the
 * stream, and so does a 4xx that another attempt would not change.
 */
export class EventStream {
  /** @type {string} */
  lastEventId;
  /** @type {State} */
  state = { phase: "connecting", failures: 0 };

  #url;
  #options;
  #retry;
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
    this.#retry = options.retry ?? 1000;
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
    this.#attempt.abort();
  }

  async #run() {
    for (let failures = 0; !this.#closed.signal.aborted;) {
      this.#become({ phase: "connecting", failures });
      this.#attempt = new AbortController();
      const { over, problem, heard, after } = await this.#connect(failures);
      if (this.#closed.signal.aborted) return;
      if (over) {
        this.#closed.abort();
        this.#become({ phase: "closed", failures, problem });
        return;
      }
      if (this.#attempt.signal.aborted) continue; // reconnect(): no wait
      failures = heard ? 0 : failures + 1;
      // The server's reconnection time spreads its clients out. What doubles with each failure is a second at most, or
      // a server with a long one would be found again only minutes after its restart.
      const grown = Math.min(this.#retry, 1000) * 2 ** failures;
      const wait = after ?? Math.random() * Math.min(LONGEST_WAIT, Math.max(this.#retry, grown));
      this.#become({ phase: "waiting", failures, retryAt: Date.now() + wait });
      await pause(wait, this.#attempt.signal);
    }
  }

  /**
   * One connection, to its end, whatever ends it.
   * @param {number} failures
   * @returns {Promise<{over?: boolean, problem?: Problem, heard?: boolean, after?: number}>} `after`: milliseconds the
   *   server asked to wait
   */
  async #connect(failures) {
    const watch = () => setTimeout(() => this.reconnect(), this.#options.silence ?? 40_000);
    let watchdog = watch();
    let heard = false;
    try {
      const headers = new Headers({ Accept: "text/event-stream" });
      if (this.lastEventId) headers.set("Last-Event-ID", this.lastEventId);
      const response = await (this.#options.fetch ?? fetch)(this.#url, {
        headers,
        cache: "no-store",
        signal: this.#attempt.signal,
      });
      if (response.status === 204) return { over: true };
      if (response.status !== 200) return await refused(response);
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream") || !response.body) return {};
      this.#become({ phase: "open", failures });
      const reader = response.body.getReader();
      const decoder = new Decoder(this.lastEventId);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return { heard };
        heard = true;
        clearTimeout(watchdog);
        watchdog = watch();
        const events = decoder.feed(value);
        this.lastEventId = decoder.lastEventId;
        this.#retry = decoder.retry ?? this.#retry;
        if (events.length > 0 && !this.#closed.signal.aborted) this.#deliver(events);
      }
    } catch {
      return { heard }; // refused, reset, aborted: whatever it was, the answer is to try again
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
 * What an answer that is no stream means: a 4xx is final, save those that ask for patience.
 * @param {Response} response
 */
async function refused(response) {
  const { status } = response;
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
    return { over: true, problem: await problemOf(response) };
  }
  await response.body?.cancel();
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  return { after: Number.isFinite(seconds) ? Math.min(seconds * 1000, LONGEST_WAIT) : undefined };
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    if (signal.aborted) resolve();
  });
}
