/** The longest wait between two attempts, in milliseconds. */
const LONGEST_WAIT = 30_000;

/** The longest time that setTimeout takes, in milliseconds. A longer timer would fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The connections of one event stream, one after the other: `EventStream` and `resumableFetch` both read through this.
 *
 * A connection presents the last event ID. A connection that stays silent too long is given up. The wait before the next one is
 * the time that the server asked for; after failures a random part of a growing time is added, so that the clients of a
 * restarted server do not come back all at once.
 */
export class Attempts {
  /** The ID that the next connection presents; "" for none. @type {string} */
  lastEventId;
  /** Connections in a row that brought nothing. */
  failures = 0;

  #request;
  #silence;
  #retry;
  #signal;
  /** The reconnection time that the server asked for, in milliseconds. @type {number | null} */
  #asked = null;
  /** The connection or the wait under way. */
  #current = new AbortController();
  #interrupted = false;
  #heard = false;
  /** @type {ReadableStreamDefaultReader<Uint8Array> | null} */
  #reader = null;

  /**
   * @param {(lastEventId: string, signal: AbortSignal) => Promise<Response>} request
   * @param {{lastEventId?: string, silence: number, retry: number}} options `silence`: milliseconds without a byte after
   *   which a connection is given up; `retry`: milliseconds that the first wait may take, until the server asks for
   *   another time
   * @param {AbortSignal} signal ends the connection or the wait under way, and all later ones
   */
  constructor(request, { lastEventId = "", silence, retry }, signal) {
    this.#request = request;
    this.lastEventId = lastEventId;
    this.#silence = silence;
    this.#retry = retry;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#current.abort(signal.reason), { once: true });
  }

  /**
   * Send the request once.
   * @param {boolean} [patient] let the answer take longer than `silence`
   * @returns {Promise<Response>} rejected by whatever ended the attempt
   */
  async open(patient = false) {
    this.#current = new AbortController();
    if (this.#signal.aborted) this.#current.abort(this.#signal.reason);
    this.#heard = false;
    const answer = this.#request(this.lastEventId, this.#current.signal);
    return patient ? answer : this.inTime(answer);
  }

  /** Read the body of an answer from now on. @param {Response} response */
  use(response) {
    this.#reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  }

  /** @returns {Promise<Uint8Array | null>} the next bytes, or null at the end; rejected when the connection is cut */
  async read() {
    // Node 20 never ends a read that begins after the abort.
    this.#current.signal.throwIfAborted();
    const reader = /** @type {ReadableStreamDefaultReader<Uint8Array>} */ (this.#reader);
    const { done, value } = await this.inTime(reader.read());
    return done ? null : value;
  }

  /**
   * The connection has brought something. Take over what it says about the next one.
   * @param {import("./decoder.js").Decoder} decoder
   */
  heard({ lastEventId, retry }) {
    this.#heard = true;
    this.lastEventId = lastEventId;
    this.#asked = retry ?? this.#asked;
  }

  /** The server has named a reconnection time: it expects its client back. */
  get invited() {
    return this.#asked !== null;
  }

  /** End the connection or the wait under way, and go on without a wait. */
  interrupt() {
    this.#interrupted = true;
    this.#current.abort(new Error("The connection was interrupted."));
  }

  /**
   * Count the attempt that has just ended.
   * @param {number} [retryAfter] milliseconds that a refusal asked for
   * @returns {number | null} milliseconds to wait before the next attempt; null after an interruption
   */
  ended(retryAfter) {
    if (this.#heard) this.failures = 0;
    if (this.#interrupted) {
      this.#interrupted = false;
      return null;
    }
    if (!this.#heard) this.failures += 1;
    return Math.min(retryAfter ?? backOff(this.failures, this.#asked, this.#retry), LONGEST_TIMER);
  }

  /** Wait, until the time is over or `interrupt` is called. @param {number} milliseconds */
  async wait(milliseconds) {
    this.#current = new AbortController();
    if (!this.#signal.aborted && !this.#interrupted) await pause(milliseconds, this.#current.signal);
    this.#interrupted = false;
  }

  /**
   * @template T
   * @param {Promise<T>} something of the connection under way, which is given up when this takes too long
   */
  async inTime(something) {
    // A timer for ever would keep a program in Node alive as long.
    if (this.#silence > LONGEST_TIMER) return something;
    const [connection, silence] = [this.#current, this.#silence];
    const timer = setTimeout(() => connection.abort(new Error(`Nothing came for ${silence} ms.`)), silence);
    try {
      return await something;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * The wait before an attempt, in milliseconds. A time that the server asked for is kept to within a tenth, so that
 * clients that lost their connections together do not come back together.
 * @param {number} failures in a row
 * @param {number | null} asked milliseconds that the server asked for
 * @param {number} first milliseconds that the first wait may take, when the server asked for none
 */
function backOff(failures, asked, first) {
  const least = asked === null ? first * Math.random() : asked * (0.9 + 0.2 * Math.random());
  return least + Math.random() * Math.min(LONGEST_WAIT, Math.min(first, 1000) * (2 ** failures - 1));
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal ends the pause early
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

/** @param {Response} response */
export function isEventStream({ status, headers, body }) {
  const type = headers.get("Content-Type") ?? "";
  return status === 200 && body !== null && type.split(";")[0].trim().toLowerCase() === "text/event-stream";
}

/** @param {number} status @returns {boolean} another attempt would get the same answer */
export const isFinal = (status) => status >= 400 && status < 500 && ![408, 425, 429].includes(status);

/** @param {Response} response @returns {number | undefined} milliseconds that its `Retry-After` asks for, at most 30 s */
export function retryAfter({ headers }) {
  const seconds = Number(headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, LONGEST_WAIT) : undefined;
}

/** @param {unknown} body of a request @returns {boolean} the body can be sent again, unchanged */
export const resendable = (body) =>
  body == null ||
  typeof body === "string" ||
  [ArrayBuffer, Blob, FormData, URLSearchParams].some((kind) => body instanceof kind) ||
  ArrayBuffer.isView(body);

/**
 * Write an event ID as a header's value: the bytes of its UTF-8, one in each character.
 * @param {string} id
 */
export const headerId = (id) => Array.from(new TextEncoder().encode(id), (byte) => String.fromCharCode(byte)).join("");
