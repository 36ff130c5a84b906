export type EventSourceOptions = {
    /**
     * send cookies to another origin
     */
    withCredentials?: boolean;
    /**
     * a function is called before every attempt
     */
    headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
    fetch?: typeof globalThis.fetch;
    /**
     * closes the source
     */
    signal?: AbortSignal;
    /**
     * the ID that the first attempt presents
     */
    lastEventId?: string;
    /**
     * milliseconds without a byte after which a connection is given up. By default there is no
     * limit, because a server need not send anything
     */
    silence?: number;
    /**
     * try again after answers that are no event stream but may become one (5xx, 408, 425,
     * 429, a gateway's page). By default such an answer closes the source, as the standard has it
     */
    patient?: boolean;
};
/**
 * Options besides those of `fetch` (method, body, mode, redirect …). The request is sent again with every attempt, so its
 * body cannot be a stream.
 * @typedef {object} EventSourceOptions
 * @property {boolean} [withCredentials] send cookies to another origin
 * @property {HeadersInit | (() => HeadersInit | Promise<HeadersInit>)} [headers] a function is called before every attempt
 * @property {typeof globalThis.fetch} [fetch]
 * @property {AbortSignal} [signal] closes the source
 * @property {string} [lastEventId] the ID that the first attempt presents
 * @property {number} [silence] milliseconds without a byte after which a connection is given up. By default there is no
 *   limit, because a server need not send anything
 * @property {boolean} [patient] try again after answers that are no event stream but may become one (5xx, 408, 425,
 *   429, a gateway's page). By default such an answer closes the source, as the standard has it
 */
/**
 * The browser's `EventSource`, over `fetch`: in pages, workers and Node, with any method, headers and body.
 *
 * Every lost connection fires an `error` event with `readyState` CONNECTING. The end fires one with CLOSED, and with the
 * `problem` if there is one. `isTrusted` is false for all events, because a script made them.
 */
export declare class EventSource extends EventTarget {
    #private;
    /**
     * @param {string | URL} url relative to the page's or the worker's
     * @param {Omit<RequestInit, "headers" | "signal"> & EventSourceOptions} [options]
     * @throws {DOMException} SyntaxError: the URL is not valid
     * @throws {TypeError} the body can be sent only once
     */
    constructor(url: string | URL, { withCredentials, headers, fetch, signal, lastEventId, silence, patient, ...init }?: Omit<RequestInit, "headers" | "signal"> & EventSourceOptions);
    static get CONNECTING(): number;
    static get OPEN(): number;
    static get CLOSED(): number;
    get CONNECTING(): number;
    get OPEN(): number;
    get CLOSED(): number;
    /** The absolute URL. */
    get url(): string;
    get withCredentials(): boolean;
    /** CONNECTING, OPEN or CLOSED. */
    get readyState(): number;
    /** Close the source for good. No event follows. */
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
