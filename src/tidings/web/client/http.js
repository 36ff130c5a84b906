/** An answer that says no: `application/problem+json`, or any status from 400 on. `message` is safe to show. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} title
   * @param {string} detail
   * @param {Record<string, unknown>} members everything the document holds
   */
  constructor(status, title, detail, members = {}) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.members = members;
  }
}

/** The server was not reached, or went away before its answer was whole. What was asked may have happened. */
export class Unreachable extends Error {
  constructor() {
    super("The server cannot be reached.");
    this.name = "Unreachable";
  }
}

/**
 * @typedef {object} RequestOptions
 * @property {unknown} [json] the body, as JSON
 * @property {string} [body] the body, as it is
 * @property {string} [type] the body's media type
 * @property {string} [key] Idempotency-Key: the same request with the same key happens once
 * @property {AbortSignal} [signal]
 * @property {typeof fetch} [fetch]
 */

/**
 * @param {string} method
 * @param {string} url
 * @param {RequestOptions} [options]
 * @returns {Promise<any>} the answer's JSON; null when it has none
 * @throws {Problem} the server refused
 * @throws {Unreachable} there was no whole answer
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
    // What is not JSON is a proxy's answer: its status says enough, and its end need not be waited for.
    if (!response.headers.get("Content-Type")?.includes("json")) await response.body?.cancel();
    else members = Object(await response.json());
  } catch {
    // Nor is what says it is.
  }
  const title = typeof members.title === "string" ? members.title : `The server answered ${response.status}`;
  return new Problem(response.status, title, typeof members.detail === "string" ? members.detail : "", members);
}
