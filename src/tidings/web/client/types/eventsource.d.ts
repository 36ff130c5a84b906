export type EventSourceOptions = {
    /**
     * send cookies to another origin
     */
    withCredentials?: boolean;
    /**
     * a function is asked before every attempt
     */
    headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
    fetch?: typeof globalThis.fetch;
    /**
     * closes
     */
    signal?: AbortSignal;
    /**
     * where to begin
     */
    lastEventId?: string;
    /**
     * milliseconds without a byte after which a connection is given up; none by default, for a
     * server need not send anything
     */
    silence?: number;
    /**
     * answers that are no event stream but may become one (5xx, 408, 425, 429, a gateway's
     * page) are waited out as lost connections are. By default they close it, as the standard has it
     */
    patient?: boolean;
};
/**
 * Besides these, whatever `fetch` takes: method, body, mode, redirect … A request is sent anew with every attempt, so its
 * body is not a stream.
 * @typedef {object} EventSourceOptions
 * @property {boolean} [withCredentials] send cookies to another origin
 * @property {HeadersInit | (() => HeadersInit | Promise<HeadersInit>)} [headers] a function is asked before every attempt
 * @property {typeof globalThis.fetch} [fetch]
 * @property {AbortSignal} [signal] closes
 * @property {string} [lastEventId] where to begin
 * @property {number} [silence] milliseconds without a byte after which a connection is given up; none by default, for a
 *   server need not send anything
 * @property {boolean} [patient] answers that are no event stream but may become one (5xx, 408, 425, 429, a gateway's
 *   page) are waited out as lost connections are. By default they close it, as the standard has it
 */
/**
 * The browser's `EventSource`, over `fetch`: in pages, workers and Node, with any method, headers and body.
 *
 * Every lost connection is an `error` event, with `readyState` CONNECTING, and so is the end, with CLOSED and the
 * `problem` if there is one. Events are not trusted (`isTrusted` is false), because none made by a script is.
 */
export declare class EventSource extends EventTarget {
    #private;
    /**
     * @param {string | URL} url relative to the page's or the worker's
     * @param {Omit<RequestInit, "headers" | "signal"> & EventSourceOptions} [options]
     * @throws {DOMException} SyntaxError: there is no such URL
     * @throws {TypeError} the body can be sent only once
     */
    constructor(url: string | URL, { withCredentials, headers, fetch, signal, lastEventId, silence, patient, ...init }?: Omit<RequestInit, "headers" | "signal"> & EventSourceOptions);
    static get CONNECTING(): number;
    static get OPEN(): number;
    static get CLOSED(): number;
    get CONNECTING(): number;
    get OPEN(): number;
    get CLOSED(): number;
    /** Absolute. */
    get url(): string;
    get withCredentials(): boolean;
    /** CONNECTING, OPEN or CLOSED. */
    get readyState(): number;
    /** For good. No event follows. */
    close(): void;
    /** @returns {((event: Event) => void) | null} */
    get onopen(): ((event: Event) => void) | null;
    set onopen(handler: ((event: Event) => void) | null);
    /** @returns {((event: MessageEvent) => void) | null} */
    get onmessage(): ((event: MessageEvent) => void) | null;
    set onmessage(handler: ((event: MessageEvent) => void) | null);
    /** @returns {((event: Event & {problem?: import("./http.js").Problem}) => void) | null} */
    get onerror(): ((event: Event & {
        problem?: import("./http.js").Problem;
    }) => void) | null;
    set onerror(handler: ((event: Event & {
        problem?: import("./http.js").Problem;
    }) => void) | null);
}
