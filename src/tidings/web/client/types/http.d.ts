/** The server's refusal: an `application/problem+json`, or any status from 400 on. `message` is safe to show. */
export declare class Problem extends Error {
    status: number;
    title: string;
    members: Record<string, unknown>;
    /** Milliseconds after which the server wants to be asked again, if it says so. @type {number | undefined} */
    retryAfter: number | undefined;
    /**
     * @param {number} status
     * @param {string} title
     * @param {string} detail
     * @param {Record<string, unknown>} members all properties of the document
     */
    constructor(status: number, title: string, detail: string, members?: Record<string, unknown>);
}
/** The server was not reached, or the connection broke before the answer was whole. The request may have been acted on. */
export declare class Unreachable extends Error {
    constructor();
}
export type RequestOptions = {
    /**
     * the body, sent as JSON
     */
    json?: unknown;
    /**
     * the body, sent unchanged
     */
    body?: string;
    /**
     * the body's media type
     */
    type?: string;
    /**
     * the Idempotency-Key: the server acts once on requests with the same key
     */
    key?: string;
    signal?: AbortSignal;
    fetch?: typeof fetch;
};
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
export declare function request(method: string, url: string, { json, body, type, key, signal, fetch }?: RequestOptions): Promise<any>;
/**
 * @param {Response} response whose status is 400 or more
 * @returns {Promise<Problem>}
 */
export declare function problemOf(response: Response): Promise<Problem>;
