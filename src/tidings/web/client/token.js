import { Unreachable } from "./http.js";

/** Milliseconds before its expiry at which a token is replaced; less for a token that lives less than two minutes. */
const EARLY = 30_000;

/**
 * The token in use. It is fetched when it is needed and replaced before it expires.
 *
 * A token that seems to have expired when it comes was made by another clock. It is used until the server refuses it.
 */
export class Tokens {
  /** The time to replace the current token, in milliseconds since 1970. */
  renewAt = Infinity;

  #ask;
  #token = "";
  /** @type {Promise<string> | null} */
  #asking = null;

  /** @param {(refused: string) => Promise<string>} ask gives a token other than the refused one, which may be "" */
  constructor(ask) {
    this.#ask = ask;
  }

  /**
   * @param {string} [refused] a token that the server has refused
   * @returns {Promise<string>} rejected by Unreachable when there is no token
   */
  get(refused = "") {
    if (this.#token && this.#token !== refused && Date.now() < this.renewAt) return Promise.resolve(this.#token);
    this.#asking ??= this.#renew(refused).finally(() => (this.#asking = null));
    return this.#asking;
  }

  /** Fetch a new token. @returns {Promise<boolean>} the token has changed */
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
   * `fetch` with the token. When the server refuses the token, the request is sent once more with a new one.
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
 * @returns {Record<string, unknown>} the claims of a JSON Web Token, with their UTF-8 not decoded; empty for other text
 */
export function claimsOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}
