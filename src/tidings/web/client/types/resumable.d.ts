export type ResumableOptions = {
    /**
     * attempts in a row that bring nothing, after which the error that cut the stream is passed
     * on
     */
    failures?: number;
    /**
     * milliseconds that the first wait may take, until the server asks for another time
     */
    retry?: number;
    /**
     * milliseconds without a byte after which the connection of an event stream counts as cut.
     * By default there is no limit: a server need not send anything, and a stream without IDs could not be resumed
     */
    silence?: number;
};
/**
 * @typedef {object} ResumableOptions
 * @property {number} [failures] attempts in a row that bring nothing, after which the error that cut the stream is passed
 *   on
 * @property {number} [retry] milliseconds that the first wait may take, until the server asks for another time
 * @property {number} [silence] milliseconds without a byte after which the connection of an event stream counts as cut.
 *   By default there is no limit: a server need not send anything, and a stream without IDs could not be resumed
 */
/**
 * A `fetch` for any library that reads an event stream through one. A connection that is cut is resumed by
 * `Last-Event-ID`, and the library reads one unbroken stream, with no event twice and none cut short.
 *
 * Only event streams are touched. Events are handed on when they are whole; a half event at a cut is dropped, because it
 * comes again. The caller's signal ends everything at once.
 *
 * The end is a 204, or a clean end of the body after `[DONE]` or an event that says so. WebKit takes some cuts for a clean
 * end, and so does Node after `Connection: close`. So a clean end without such an event is asked about once more if the
 * server expects its client back, that is if it has sent an ID and a reconnection time (`retry:`). A second clean end
 * that brought nothing new is the end.
 *
 * A request other than GET gets an `Idempotency-Key`, unless it has one, and every attempt sends the same key: a server
 * that honours the key starts what the request starts once, even when the stream is cut before its first ID. A stream
 * that has brought events but no ID cannot be resumed, nor can a request whose body can be sent only once. Their errors
 * are passed on.
 *
 * @param {typeof globalThis.fetch} [fetch]
 * @param {ResumableOptions} [options]
 * @returns {typeof globalThis.fetch}
 */
export declare function resumableFetch(fetch?: typeof globalThis.fetch, { failures, retry, silence }?: ResumableOptions): typeof globalThis.fetch;
