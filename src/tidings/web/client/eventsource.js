import { resendable } from "./attempts.js";
import { EventStream } from "./stream.js";

const [CONNECTING, OPEN, CLOSED] = [0, 1, 2];

/**
 * Options besides those of `fetch` (method, body, mode, redirect …). The request is sent again with every attempt, so its
 * body cannot be a stream.
 * @typedef {object} EventSourceOptions
 * @property {boolean} [withCredentials] send cookies to another origin
 * @property {HeadersInit | (() => HeadersInit | Promise<HeadersInit>)} [headers] a function is called before every attempt
 * @property {typeof globalThis.fetch} [fetch]
 * @property {AbortSignal} [signal] closes the source
 * @property {string} [lastEventId] the ID that the first attempt presents
 * @property {number} [silence] milliseconds without a byte after which a connection is given up. By default there is no
 *   limit, because a server need not send anything
 * @property {boolean} [patient] try again after answers that are no event stream but may become one (5xx, 408, 425,
 *   429, a gateway's page). By default such an answer closes the source, as the standard has it
 */

/**
 * The browser's `EventSource`, over `fetch`: in pages, workers and Node, with any method, headers and body.
 *
 * Every lost connection fires an `error` event with `readyState` CONNECTING. The end fires one with CLOSED, and with the
 * `problem` if there is one. `isTrusted` is false for all events, because a script made them.
 */
export class EventSource extends EventTarget {
  #url;
  #withCredentials;
  #readyState = CONNECTING;
  #origin = "";
  #stream;
  /** @type {Record<string, ((event: any) => void) | null>} */
  #handlers = {};

  /**
   * @param {string | URL} url relative to the page's or the worker's
   * @param {Omit<RequestInit, "headers" | "signal"> & EventSourceOptions} [options]
   * @throws {DOMException} SyntaxError: the URL is not valid
   * @throws {TypeError} the body can be sent only once
   */
  constructor(url, { withCredentials, headers, fetch, signal, lastEventId, silence, patient = false, ...init } = {}) {
    super();
    this.#url = resolved(String(url));
    this.#withCredentials = Boolean(withCredentials);
    if (!resendable(init.body)) throw new TypeError("The body can be sent only once.");
    const stream = new EventStream(this.#url, {
      lastEventId,
      silence: silence ?? Infinity,
      patient,
      fetch: async (input, asked) => {
        const merged = new Headers(typeof headers === "function" ? await headers() : headers);
        new Headers(asked?.headers).forEach((value, name) => merged.set(name, value));
        const credentials = this.#withCredentials ? "include" : "same-origin";
        return (fetch ?? globalThis.fetch)(input, { credentials, ...init, ...asked, headers: merged });
      },
      onEvents: (events) => this.#take(events),
      onState: (state) => this.#become(state),
    });
    this.#stream = stream;
    signal?.addEventListener("abort", () => this.close(), { once: true });
    if (signal?.aborted) this.close();
  }

  static get CONNECTING() {
    return CONNECTING;
  }

  static get OPEN() {
    return OPEN;
  }

  static get CLOSED() {
    return CLOSED;
  }

  get CONNECTING() {
    return CONNECTING;
  }

  get OPEN() {
    return OPEN;
  }

  get CLOSED() {
    return CLOSED;
  }

  /** The absolute URL. */
  get url() {
    return this.#url;
  }

  get withCredentials() {
    return this.#withCredentials;
  }

  /** CONNECTING, OPEN or CLOSED. */
  get readyState() {
    return this.#readyState;
  }

  /** Close the source for good. No event follows. */
  close() {
    this.#readyState = CLOSED;
    this.#stream.close();
  }

  /** @returns {((event: Event) => void) | null} */
  get onopen() {
    return this.#handlers.open ?? null;
  }

  set onopen(handler) {
    this.#handle("open", handler);
  }

  /** @returns {((event: MessageEvent) => void) | null} */
  get onmessage() {
    return this.#handlers.message ?? null;
  }

  set onmessage(handler) {
    this.#handle("message", handler);
  }

  /** @returns {((event: Event & {problem?: import("./http.js").Problem}) => void) | null} */
  get onerror() {
    return this.#handlers.error ?? null;
  }

  set onerror(handler) {
    this.#handle("error", handler);
  }

  /**
   * Set a handler. It keeps its place among the listeners when it is replaced.
   * @param {string} type
   * @param {((event: any) => void) | null} handler
   */
  #handle(type, handler) {
    if (!(type in this.#handlers)) this.addEventListener(type, (event) => this.#handlers[type]?.call(this, event));
    this.#handlers[type] = typeof handler === "function" ? handler : null;
  }

  /** @param {import("./stream.js").State} state */
  #become({ phase, url, problem }) {
    if (this.#readyState === CLOSED) return;
    if (phase === "open") {
      this.#readyState = OPEN;
      this.#origin = new URL(url ?? this.#url).origin;
      this.dispatchEvent(new Event("open"));
    } else if (phase === "closed" || phase === "waiting" || this.#readyState === OPEN) {
      this.#readyState = phase === "closed" ? CLOSED : CONNECTING;
      this.dispatchEvent(Object.assign(new Event("error"), problem && { problem }));
    }
  }

  /** @param {import("./decoder.js").ServerSentEvent[]} events */
  #take(events) {
    for (const { type, data, id } of events) {
      if (this.#readyState === CLOSED) return;
      this.dispatchEvent(new MessageEvent(type, { data, lastEventId: id, origin: this.#origin }));
    }
  }
}

/** @param {string} url */
function resolved(url) {
  try {
    return new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch {
    throw new DOMException(`${url} is not a valid URL.`, "SyntaxError");
  }
}
