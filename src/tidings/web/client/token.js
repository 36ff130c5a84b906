import { Unreachable } from "./http.js";

/** Milliseconds before its expiry at which a token is replaced: less for one that lives shorter than two minutes. */
const EARLY = 30_000;

/**
 * The token in use, got when it is needed and replaced before it expires. Without one, the server is not reached.
 *
 * A token that seems to be expired when it comes is from another clock: it is used until the server refuses it.
 */
export class Tokens {
  /** When to replace the one there is, in milliseconds since 1970. */
  renewAt = Infinity;

  #ask;
  #token = "";
  /** @type {Promise<string> | null} */
  #asking = null;

  /** @param {(refused: string) => Promise<string>} ask for a token other than the refused one, which may be "" */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * @param {string} [refused] a token the server took no more
   * @returns {Promise<string>} rejected when there is none to be had
   */
  get(refused = "") {
    if (this.#token && this.#token !== refused && Date.now() < this.renewAt) return Promise.resolve(this.#token);
    this.#asking ??= this.#renew(refused).finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** Another one than the one there is. @returns {Promise<boolean>} whether it is another */
  async renew() {
    const before = this.#token;
    return (await this.get(before)) !== before;
  }

  /** @param {string} refused */
  async #renew(refused) {
    const token = await this.#ask(refused).catch((error) => {
      console.warn("Tidings has no token.", error);
      throw new Unreachable();
    });
    const left = Number(claimsOf(token).exp) * 1000 - Date.now();
    this.renewAt = left > 0 ? Date.now() + left - Math.min(EARLY, left / 4) : Infinity;
    return (this.#token = token);
  }

  /**
   * `fetch` with the token, and once more with another when it is refused.
   * @type {typeof fetch}
   */
  fetch = async (url, init) => {
    const token = await this.get();
    const response = await fetch(url, bearing(token, init));
    if (response.status !== 401) return response;
    const other = await this.get(token);
    if (other === token) return response;
    await response.body?.cancel();
    return fetch(url, bearing(other, init));
  };
}

/** @param {string} token @param {RequestInit} [init] @returns {RequestInit} */
function bearing(token, init) {
  const headers = new Headers(init?.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return { ...init, headers };
}

/**
 * @param {string} token
 * @returns {Record<string, unknown>} what a JSON Web Token says, its UTF-8 unread; nothing when it is none
 */
export function claimsOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}
