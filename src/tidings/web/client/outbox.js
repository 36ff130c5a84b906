import { Problem, Unreachable } from "./http.js";

/**
 * Something that waits to be sent: any JSON object with these properties.
 * @typedef {object} PendingSend
 * @property {string} key sent with every attempt, so that the server acts on it once
 * @property {string} lane sends of one lane go one after the other, in the order they were put in
 * @property {string} [refused] the reason why it is not sent by itself any more; later sends of its lane wait
 */

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} KeyValueStore */

/**
 * @template {PendingSend} P
 * @typedef {object} Options
 * @property {(pending: P) => Promise<any>} send rejected by a Problem when the server refuses
 * @property {(pending: P) => boolean} [ready] may be sent now. Call `pump` when the answer has changed
 * @property {(failures: number, error: any) => Promise<unknown>} wait resolves when the send that failed with this error
 *   is to be tried again
 * @property {KeyValueStore} [storage] keeps what waits beyond the page; tabs may share it
 * @property {string} [name] in the storage
 */

/**
 * A box of pending sends: each is sent in order, and acted on once, no matter what happens on the way. Fires `change`.
 *
 * @template {PendingSend} P
 */
export class Outbox extends EventTarget {
  /** The keys of the sends under way. @type {Set<string>} */
  sending = new Set();

  #options;
  /** @type {P[]} */
  #pending = [];
  /** @type {KeyValueStore | undefined} */
  #storage;
  /** Callers that wait for an answer. @type {Map<string, {resolve: (answer: any) => void, reject: (error: any) => void}>} */
  #callers = new Map();
  #failures = 0;

  /** @param {Options<P>} options */
  constructor(options) {
    super();
    this.#options = { name: "tidings.outbox", ...options };
    this.#storage = options.storage;
    this.#load();
    // Another tab that shares the storage has changed it.
    globalThis.addEventListener?.("storage", (event) => {
      if (event.key !== this.#options.name) return;
      this.#load();
      this.#changed();
    });
  }

  /** The pending sends, in the order in which they were put in. @returns {readonly P[]} */
  get pending() {
    return this.#pending;
  }

  /** @param {P} pending */
  put(pending) {
    this.#update((all) => [...all, pending]);
    this.pump();
  }

  /**
   * Put something in and wait for the server's answer.
   * @param {P} pending
   * @returns {Promise<any>} rejected when the server refuses; then it is out of the box
   */
  deliver(pending) {
    return new Promise((resolve, reject) => {
      this.#callers.set(pending.key, { resolve, reject });
      this.put(pending);
    });
  }

  /** Take something out without sending it. @param {string} key */
  discard(key) {
    this.#update((all) => all.filter((one) => one.key !== key));
    this.#takeCaller(key)?.reject(new Error("It was discarded."));
    this.pump();
  }

  /** Send something again that was refused. @param {string} key */
  retry(key) {
    this.#update((all) => all.map((one) => (one.key === key ? { ...one, refused: undefined } : one)));
    this.pump();
  }

  /** Send the first of each lane that is ready. */
  pump() {
    const seen = new Set(this.#pending.filter(({ key }) => this.sending.has(key)).map(({ lane }) => lane));
    for (const pending of this.#pending) {
      if (seen.has(pending.lane)) continue;
      seen.add(pending.lane);
      if (!pending.refused && (this.#options.ready?.(pending) ?? true)) void this.#send(pending);
    }
  }

  /** @param {P} pending */
  async #send(pending) {
    const { key } = pending;
    this.sending.add(key);
    this.#changed();
    try {
      const answer = await this.#options.send(pending);
      this.#failures = 0;
      this.#update((all) => all.filter((one) => one.key !== key));
      this.#takeCaller(key)?.resolve(answer);
    } catch (error) {
      if (isTemporary(error)) await this.#options.wait((this.#failures += 1), error);
      else this.#refuse(pending, /** @type {Error} */ (error));
    } finally {
      this.sending.delete(key);
      this.#changed();
      this.pump();
    }
  }

  /** @param {P} pending @param {Error} error */
  #refuse({ key }, error) {
    const caller = this.#takeCaller(key);
    if (caller) {
      this.#update((all) => all.filter((one) => one.key !== key));
      caller.reject(error);
    } else this.#update((all) => all.map((one) => (one.key === key ? { ...one, refused: error.message } : one)));
  }

  /** @param {string} key */
  #takeCaller(key) {
    const caller = this.#callers.get(key);
    this.#callers.delete(key);
    return caller;
  }

  /** @param {(pending: P[]) => P[]} change applied to what all tabs have stored by now */
  #update(change) {
    this.#load();
    this.#pending = change(this.#pending);
    try {
      if (this.#pending.length > 0) this.#storage?.setItem(this.#name, JSON.stringify(this.#pending));
      else this.#storage?.removeItem(this.#name);
    } catch {
      this.#storage = undefined; // full or forbidden: from now on, what waits lasts as long as the page
    }
    this.#changed();
  }

  /** Read the storage. A publication that a caller here waits for stays, even if another tab has sent it: its answer comes again. */
  #load() {
    if (!this.#storage) return;
    try {
      /** @type {P[]} */
      const stored = JSON.parse(this.#storage.getItem(this.#name) ?? "[]");
      const keys = new Set(stored.map(({ key }) => key));
      const awaited = this.#pending.filter(({ key }) => this.#callers.has(key) && !keys.has(key));
      this.#pending = [...awaited, ...stored];
    } catch {
      this.#storage = undefined;
    }
  }

  get #name() {
    return /** @type {string} */ (this.#options.name);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {unknown} error @returns {boolean} the failure is of the network or the server, so that the publication is tried again */
export function isTemporary(error) {
  return error instanceof Unreachable || (error instanceof Problem && (error.status >= 500 || error.status === 429));
}
