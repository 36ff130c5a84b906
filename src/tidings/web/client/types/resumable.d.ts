export type ResumableOptions = {
    /**
     * attempts in a row that bring nothing, after which the error that cut it is passed on
     */
    failures?: number;
    /**
     * milliseconds the first wait may take, until the server says otherwise
     */
    retry?: number;
    /**
     * milliseconds without a byte after which the connection of an event stream counts as cut;
     * none by default, for a server need not send anything, and one without ids could not be resumed
     */
    silence?: number;
};
/**
 * @typedef {object} ResumableOptions
 * @property {number} [failures] attempts in a row that bring nothing, after which the error that cut it is passed on
 * @property {number} [retry] milliseconds the first wait may take, until the server says otherwise
 * @property {number} [silence] milliseconds without a byte after which the connection of an event stream counts as cut;
 *   none by default, for a server need not send anything, and one without ids could not be resumed
 */
/**
 * A `fetch` for any library that reads an event stream through one: a connection that is cut is resumed by
 * `Last-Event-ID`, and the library reads one unbroken stream, no event of it twice and none cut short.
 *
 * Only event streams are touched. Events are handed on when they are whole; what a cut leaves of one is dropped, for it
 * comes again. A clean end is the end, and so is a 204. The caller's signal ends everything at once.
 *
 * A request other than GET gets an `Idempotency-Key`, unless it has one, and is asked again with the same: where the
 * server honours it, what the request starts is started once, also when it is cut before the first id. A stream that has
 * brought events but no id cannot be resumed, nor a request whose body can be sent only once: their error is passed on.
 *
 * @param {typeof globalThis.fetch} [fetch]
 * @param {ResumableOptions} [options]
 * @returns {typeof globalThis.fetch}
 */
export declare function resumableFetch(fetch?: typeof globalThis.fetch, { failures, retry, silence }?: ResumableOptions): typeof globalThis.fetch;
export type Ask = (lastEventId: string, signal: AbortSignal) => Promise<Response>;
