import { Problem } from "./http.js";
export type State = {
    phase: "connecting" | "open" | "waiting" | "closed";
    /**
     * connections in a row that brought nothing
     */
    failures: number;
    /**
     * open: the address of the answer, after redirects
     */
    url?: string;
    /**
     * waiting: when the next attempt begins, in milliseconds since 1970
     */
    retryAt?: number;
    /**
     * closed: the reason. Absent when the server ended the stream with 204, or `close` was
     * called
     */
    problem?: Problem;
};
export type Options = {
    lastEventId?: string;
    /**
     * called with the events of one network
     * chunk, in order
     */
    onEvents: (events: import("./decoder.js").ServerSentEvent[]) => void;
    onState?: (state: State) => void;
    /**
     * closes the stream
     */
    signal?: AbortSignal;
    fetch?: typeof fetch;
    /**
     * milliseconds without a byte after which a connection counts as dead
     */
    silence?: number;
    /**
     * milliseconds that the first wait may take, until the server asks for another time
     */
    retry?: number;
    /**
     * try again after an answer that another attempt may change: 5xx, 408, 425, 429, and any
     * answer that is no event stream. `false` is the standard's way: every answer but an event stream is the end
     */
    patient?: boolean;
};
/**
 * @typedef {object} State
 * @property {"connecting" | "open" | "waiting" | "closed"} phase
 * @property {number} failures connections in a row that brought nothing
 * @property {string} [url] open: the address of the answer, after redirects
 * @property {number} [retryAt] waiting: when the next attempt begins, in milliseconds since 1970
 * @property {Problem} [problem] closed: the reason. Absent when the server ended the stream with 204, or `close` was
 *   called
 */
/**
 * @typedef {object} Options
 * @property {string} [lastEventId]
 * @property {(events: import("./decoder.js").ServerSentEvent[]) => void} onEvents called with the events of one network
 *   chunk, in order
 * @property {(state: State) => void} [onState]
 * @property {AbortSignal} [signal] closes the stream
 * @property {typeof fetch} [fetch]
 * @property {number} [silence] milliseconds without a byte after which a connection counts as dead
 * @property {number} [retry] milliseconds that the first wait may take, until the server asks for another time
 * @property {boolean} [patient] try again after an answer that another attempt may change: 5xx, 408, 425, 429, and any
 *   answer that is no event stream. `false` is the standard's way: every answer but an event stream is the end
 */
/**
 * An event stream that stays open: after each break it connects again with the last event ID.
 *
 * A connection that brings no byte for 40 s is given up, because servers send a comment every 15 s. An answer of 204
 * ends the stream, and so does a refusal that another attempt would not change.
 */
export declare class EventStream {
    #private;
    /** @type {State} */
    state: State;
    /**
     * @param {string} url
     * @param {Options} options
     */
    constructor(url: string, options: Options);
    /** The ID that the next connection presents. */
    get lastEventId(): string;
    close(): void;
    /** Connect again now, in place of the connection or the wait under way. */
    reconnect(): void;
}
