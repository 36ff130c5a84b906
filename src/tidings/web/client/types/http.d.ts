/** An answer that says no: `application/problem+json`, or any status from 400 on. `message` is safe to show. */
export declare class Problem extends Error {
    status: number;
    title: string;
    members: Record<string, unknown>;
    /**
     * @param {number} status
     * @param {string} title
     * @param {string} detail
     * @param {Record<string, unknown>} members everything the document holds
     */
    constructor(status: number, title: string, detail: string, members?: Record<string, unknown>);
}
/** The server was not reached, or went away before its answer was whole. What was asked may have happened. */
export declare class Unreachable extends Error {
    constructor();
}
export type RequestOptions = {
    /**
     * the body, as JSON
     */
    json?: unknown;
    /**
     * the body, as it is
     */
    body?: string;
    /**
     * the body's media type
     */
    type?: string;
    /**
     * Idempotency-Key: the same request with the same key happens once
     */
    key?: string;
    signal?: AbortSignal;
    fetch?: typeof fetch;
};
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
export declare function request(method: string, url: string, { json, body, type, key, signal, fetch }?: RequestOptions): Promise<any>;
/**
 * @param {Response} response whose status is 400 or more
 * @returns {Promise<Problem>}
 */
export declare function problemOf(response: Response): Promise<Problem>;
