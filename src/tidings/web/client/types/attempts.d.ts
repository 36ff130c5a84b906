/** The longest time that setTimeout takes, in milliseconds. A longer timer would fire at once. */
export declare const LONGEST_TIMER: number;
/**
 * The connections of one event stream, one after the other: `EventStream` and `resumableFetch` both read through this.
 *
 * A connection presents the last event ID. A connection that stays silent too long is given up. The wait before the next one is
 * the time that the server asked for; after failures a random part of a growing time is added, so that the clients of a
 * restarted server do not come back all at once.
 */
export declare class Attempts {
    #private;
    /** The ID that the next connection presents; "" for none. @type {string} */
    lastEventId: string;
    /** Connections in a row that brought nothing. */
    failures: number;
    /**
     * @param {(lastEventId: string, signal: AbortSignal) => Promise<Response>} request
     * @param {{lastEventId?: string, silence: number, retry: number}} options `silence`: milliseconds without a byte after
     *   which a connection is given up; `retry`: milliseconds that the first wait may take, until the server asks for
     *   another time
     * @param {AbortSignal} signal ends the connection or the wait under way, and all later ones
     */
    constructor(request: (lastEventId: string, signal: AbortSignal) => Promise<Response>, { lastEventId, silence, retry }: {
        lastEventId?: string;
        silence: number;
        retry: number;
    }, signal: AbortSignal);
    /**
     * Send the request once.
     * @param {boolean} [patient] let the answer take longer than `silence`
     * @returns {Promise<Response>} rejected by whatever ended the attempt
     */
    open(patient?: boolean): Promise<Response>;
    /** Read the body of an answer from now on. @param {Response} response */
    use(response: Response): void;
    /** @returns {Promise<Uint8Array | null>} the next bytes, or null at the end; rejected when the connection is cut */
    read(): Promise<Uint8Array | null>;
    /**
     * The connection has brought something. Take over what it says about the next one.
     * @param {import("./decoder.js").Decoder} decoder
     */
    heard({ lastEventId, retry }: import("./decoder.js").Decoder): void;
    /** The server has named a reconnection time: it expects its client back. */
    get invited(): boolean;
    /** End the connection or the wait under way, and go on without a wait. */
    interrupt(): void;
    /**
     * Count the attempt that has just ended.
     * @param {number} [retryAfter] milliseconds that a refusal asked for
     * @returns {number | null} milliseconds to wait before the next attempt; null after an interruption
     */
    ended(retryAfter?: number): number | null;
    /** Wait, until the time is over or `interrupt` is called. @param {number} milliseconds */
    wait(milliseconds: number): Promise<void>;
    /**
     * @template T
     * @param {Promise<T>} something of the connection under way, which is given up when this takes too long
     */
    inTime<T>(something: Promise<T>): Promise<T>;
}
/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal ends the pause early
 * @returns {Promise<void>}
 */
export declare function pause(milliseconds: number, signal: AbortSignal): Promise<void>;
/** @param {Response} response */
export declare function isEventStream({ status, headers, body }: Response): boolean;
/** @param {number} status @returns {boolean} another attempt would get the same answer */
export declare const isFinal: (status: number) => boolean;
/** @param {Response} response @returns {number | undefined} milliseconds that its `Retry-After` asks for, at most 30 s */
export declare function retryAfter({ headers }: Response): number | undefined;
/** @param {unknown} body of a request @returns {boolean} the body can be sent again, unchanged */
export declare const resendable: (body: unknown) => boolean;
/**
 * Write an event ID as a header's value: the bytes of its UTF-8, one in each character.
 * @param {string} id
 */
export declare const headerId: (id: string) => string;
