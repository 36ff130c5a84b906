import { retryAfter } from "./attempts.js";

/** The server's refusal: an `application/problem+json`, or any status from 400 on. `message` is safe to show. */
export class Problem extends Error {
  /** Milliseconds after which the server wants to be asked again, if it says so. @type {number | undefined} */
  retryAfter;

  /**
   * @param {number} status
   * @param {string} title
   * @param {string} detail
   * @param {Record<string, unknown>} members all properties of the document
   */
  constructor(status, title, detail, members = {}) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.members = members;
  }
}

/** The server was not reached, or the connection broke before the answer was whole. The request may have been acted on. */
export class Unreachable extends Error {
  constructor() {
    super("The server cannot be reached.");
    this.name = "Unreachable";
  }
}

/**
 * @typedef {object} RequestOptions
 * @property {unknown} [json] the body, sent as JSON
 * @property {string} [body] the body, sent unchanged
 * @property {string} [type] the body's media type
 * @property {string} [key] the Idempotency-Key: the server acts once on requests with the same key
 * @property {AbortSignal} [signal]
 * @property {typeof fetch} [fetch]
 */

/**
 * @param {string} method
 * @param {string} url
 * @param {RequestOptions} [options]
 * @returns {Promise<any>} the answer's JSON, or null for an empty answer
 * @throws {Problem} the server refused
 * @throws {Unreachable} no whole answer came
 */
export async function request(method, url, { json, body, type, key, signal, fetch = globalThis.fetch } = {}) {
  const headers = new Headers({ Accept: "application/json" });
  if (json !== undefined) [body, type] = [JSON.stringify(json), "application/json"];
  if (type) headers.set("Content-Type", type);
  if (key) headers.set("Idempotency-Key", key);
  try {
    const response = await fetch(url, { method, headers, body, signal, cache: "no-store" });
    if (!response.ok) throw await problemOf(response);
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw new Unreachable();
  }
}

/**
 * @param {Response} response whose status is 400 or more
 * @returns {Promise<Problem>}
 */
export async function problemOf(response) {
  /** @type {Record<string, any>} */
  let members = {};
  try {
    // An answer without JSON comes from a proxy. Its status says enough, so its body is not waited for.
    if (!response.headers.get("Content-Type")?.includes("json")) await response.body?.cancel();
    else members = Object(await response.json());
  } catch {
    // The body is not the JSON that it claims to be.
  }
  const title = typeof members.title === "string" ? members.title : `The server answered ${response.status}`;
  const detail = typeof members.detail === "string" ? members.detail : "";
  return Object.assign(new Problem(response.status, title, detail, members), { retryAfter: retryAfter(response) });
}
