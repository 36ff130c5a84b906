import { Problem, Unreachable } from "./http.js";

/**
 * What waits to be sent: anything that is JSON, and this.
 * @typedef {object} Letter
 * @property {string} key with which it is sent, however often, so that it happens once
 * @property {string} lane letters of one lane are sent one after the other, in the order they were put in
 * @property {string} [refused] why it will not be sent by itself; what is behind it in its lane waits
 */

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Keeper */

/**
 * @template {Letter} L
 * @typedef {object} Options
 * @property {(letter: L) => Promise<any>} send rejected by a Problem when it is refused
 * @property {(letter: L) => boolean} [ready] whether it may be sent now; call `pump` when that has changed
 * @property {(failures: number) => Promise<unknown>} wait resolves when a letter that did not get through is tried again
 * @property {Keeper} [storage] where letters outlive the page; tabs may share it
 * @property {string} [name] in the storage
 */

/**
 * Letters to a server, sent in order and each once, whatever happens on the way. Fires `change`.
 *
 * @template {Letter} L
 */
export class Outbox extends EventTarget {
  /** Those under way, by key. @type {Set<string>} */
  sending = new Set();

  #options;
  /** @type {L[]} */
  #letters = [];
  /** @type {Keeper | undefined} */
  #storage;
  /** Whoever waits for an answer. @type {Map<string, {resolve: (answer: any) => void, reject: (error: any) => void}>} */
  #waiting = new Map();
  #failures = 0;

  /** @param {Options<L>} options */
  constructor(options) {
    super();
    this.#options = { name: "tidings.outbox", ...options };
    this.#storage = options.storage;
    this.#load();
    // Another tab that shares the storage has changed it.
    globalThis.addEventListener?.("storage", (event) => {
      if (event.key !== this.#options.name) return;
      this.#load();
      this.#tell();
    });
  }

  /** In the order in which they were put in. @returns {readonly L[]} */
  get letters() {
    return this.#letters;
  }

  /** @param {L} letter */
  put(letter) {
    this.#update((letters) => [...letters, letter]);
    this.pump();
  }

  /**
   * Put a letter in and wait for its answer.
   * @param {L} letter
   * @returns {Promise<any>} rejected when it is refused; then it is out of the box
   */
  deliver(letter) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(letter.key, { resolve, reject });
      this.put(letter);
    });
  }

  /** Do not send it. @param {string} key */
  discard(key) {
    this.#update((letters) => letters.filter((letter) => letter.key !== key));
    this.#settle(key)?.reject(new Error("It was discarded."));
    this.pump();
  }

  /** Send what was refused again. @param {string} key */
  retry(key) {
    this.#update((letters) => letters.map((one) => (one.key === key ? { ...one, refused: undefined } : one)));
    this.pump();
  }

  /** Look what can be sent now: the first letter of each lane. */
  pump() {
    const seen = new Set(this.#letters.filter(({ key }) => this.sending.has(key)).map(({ lane }) => lane));
    for (const letter of this.#letters) {
      if (seen.has(letter.lane)) continue;
      seen.add(letter.lane);
      if (!letter.refused && (this.#options.ready?.(letter) ?? true)) void this.#send(letter);
    }
  }

  /** @param {L} letter */
  async #send(letter) {
    const { key } = letter;
    this.sending.add(key);
    this.#tell();
    try {
      const answer = await this.#options.send(letter);
      this.#failures = 0;
      this.#update((letters) => letters.filter((one) => one.key !== key));
      this.#settle(key)?.resolve(answer);
    } catch (error) {
      if (isTemporary(error)) await this.#options.wait((this.#failures += 1));
      else this.#refuse(letter, /** @type {Error} */ (error));
    } finally {
      this.sending.delete(key);
      this.#tell();
      this.pump();
    }
  }

  /** @param {L} letter @param {Error} error */
  #refuse({ key }, error) {
    const waiting = this.#settle(key);
    if (waiting) {
      this.#update((letters) => letters.filter((one) => one.key !== key));
      waiting.reject(error);
    } else
      this.#update((letters) => letters.map((one) => (one.key === key ? { ...one, refused: error.message } : one)));
  }

  /** @param {string} key */
  #settle(key) {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    return waiting;
  }

  /** @param {(letters: L[]) => L[]} change of what all tabs have by now */
  #update(change) {
    this.#load();
    this.#letters = change(this.#letters);
    try {
      if (this.#letters.length > 0) this.#storage?.setItem(this.#name, JSON.stringify(this.#letters));
      else this.#storage?.removeItem(this.#name);
    } catch {
      this.#storage = undefined; // full, or forbidden: from now on they last as long as the page
    }
    this.#tell();
  }

  /** What is stored, and what somebody here waits for though another tab has sent it: its answer comes again. */
  #load() {
    if (!this.#storage) return;
    try {
      /** @type {L[]} */
      const stored = JSON.parse(this.#storage.getItem(this.#name) ?? "[]");
      const keys = new Set(stored.map(({ key }) => key));
      const awaited = this.#letters.filter(({ key }) => this.#waiting.has(key) && !keys.has(key));
      this.#letters = [...awaited, ...stored];
    } catch {
      this.#storage = undefined;
    }
  }

  get #name() {
    return /** @type {string} */ (this.#options.name);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Whether only the way or the server's health stood against it: asked again, it may go well. @param {unknown} error */
export function isTemporary(error) {
  return error instanceof Unreachable || (error instanceof Problem && (error.status >= 500 || error.status === 429));
}

/** @returns {string} 20 characters that nobody else has. crypto.randomUUID is missing on plain http. */
export function newKey() {
  const letters = "0123456789abcdefghijklmnopqrstuv";
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => letters[byte & 31]).join("");
}
