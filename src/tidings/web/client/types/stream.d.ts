import { Problem } from "./http.js";
export type State = {
    phase: "connecting" | "open" | "waiting" | "closed";
    /**
     * connections in a row that brought nothing
     */
    failures: number;
    /**
     * open: where the answer came from, after redirects
     */
    url?: string;
    /**
     * waiting: when the next attempt begins, in milliseconds since 1970
     */
    retryAt?: number;
    /**
     * closed: why. Absent: the server said the stream is over (204), or `close` was called
     */
    problem?: Problem;
};
export type Options = {
    lastEventId?: string;
    /**
     * those of one network chunk, in order
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
     * milliseconds the first wait may take, until the server says otherwise
     */
    retry?: number;
    /**
     * whether to try again after an answer that another attempt may change: 5xx, 408, 425,
     * 429, and one that is no event stream. `false`: the standard's way, every answer but an event stream is the end
     */
    patient?: boolean;
};
/** setTimeout takes no longer time: it would be over at once. */
export declare const LONGEST_TIMER: number;
/**
 * One event stream over fetch that stays open: it presents the last event ID, and waits before each attempt for the
 * time the server asked for, and after failures for a random part of a growing time more, so that the clients of a
 * restarted server do not come back all at once.
 *
 * A connection that brings no byte for 40 s is given up: servers send a comment every 15 s. An answer of 204 ends the
 * stream, and so does a refusal that another attempt would not change.
 */
export declare class EventStream {
    #private;
    /** @type {string} */
    lastEventId: string;
    /** @type {State} */
    state: State;
    /**
     * @param {string} url
     * @param {Options} options
     */
    constructor(url: string, options: Options);
    close(): void;
    /** Try again now: give up the connection or the wait under way. */
    reconnect(): void;
}
/**
 * A header's value is bytes, one in each character, and an ID's bytes are those of UTF-8.
 * @param {string} id
 */
export declare const utf8: (id: string) => string;
/** @param {Response} response */
export declare function isEventStream({ status, headers, body }: Response): boolean;
/** @param {number} status @returns {boolean} whether another attempt would be answered the same */
export declare const isFinal: (status: number) => boolean;
/** @param {unknown} body of a request @returns {boolean} whether it can be sent again, and is the same then */
export declare const resendable: (body: unknown) => boolean;
/**
 * How long to wait. A time the server asks for is kept to within a tenth, lest those who lost it together come back
 * together.
 * @param {number} failures in a row
 * @param {number | null} told milliseconds the server asked for
 * @param {number} [first] milliseconds the first wait may take, when it asked for none
 */
export declare function backOff(failures: number, told: number | null, first?: number): number;
/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal ends it early
 * @returns {Promise<void>}
 */
export declare function pause(milliseconds: number, signal: AbortSignal): Promise<void>;
