export type Event = {
    topic: string;
    /**
     * null for a transient event
     */
    offset: string | null;
    type: string;
    /**
     * Unix seconds
     */
    time: number;
    data: any;
};
/**
 * @typedef {object} Event
 * @property {string} topic
 * @property {string | null} offset null for a transient event
 * @property {string} type
 * @property {number} time Unix seconds
 * @property {any} data
 */
/**
 * Events after `position` are gone: retention trimmed the log, or it was deleted, or begun anew. An iterator throws it;
 * what there still is comes to who subscribes again after `offset`.
 */
export declare class Reset extends Error {
    topic: string;
    reason: "deleted" | "recreated" | "trimmed";
    earliest: string | null;
    position: string;
    offset: string;
    /**
     * @param {string} topic
     * @param {"trimmed" | "deleted" | "recreated"} reason
     * @param {string | null} earliest the offset of the first event there is
     * @param {string} position the last event that was read
     * @param {string} offset where to go on
     */
    constructor(topic: string, reason: "trimmed" | "deleted" | "recreated", earliest: string | null, position: string, offset: string);
}
export type Reading = {
    /**
     * an offset; by default everything is read
     */
    after?: string;
    /**
     * in order, none twice, also across reconnects
     */
    onEvents?: (events: Event[]) => void;
    /**
     * events are gone; it goes on at `earliest`
     */
    onReset?: (reset: Reset) => void;
    /**
     * the topic is closed and read; the subscription is over
     */
    onEnd?: () => void;
    /**
     * the server refused the topic; the subscription is over. Without it, the
     * error is reported as an uncaught one
     */
    onError?: (error: Error) => void;
};
export type Line = {
    /**
     * from its position on
     */
    follow: (subscription: Subscription) => void;
    leave: (subscription: Subscription) => void;
};
/**
 * How a subscription is read. With `onEvents` it begins at once, and `onReset` must be there; without, it is an
 * iterator and begins when it is iterated.
 *
 * @typedef {object} Reading
 * @property {string} [after] an offset; by default everything is read
 * @property {(events: Event[]) => void} [onEvents] in order, none twice, also across reconnects
 * @property {(reset: Reset) => void} [onReset] events are gone; it goes on at `earliest`
 * @property {() => void} [onEnd] the topic is closed and read; the subscription is over
 * @property {(error: Error) => void} [onError] the server refused the topic; the subscription is over. Without it, the
 *   error is reported as an uncaught one
 */
/**
 * @typedef {object} Line to the connection
 * @property {(subscription: Subscription) => void} follow from its position on
 * @property {(subscription: Subscription) => void} leave
 */
/**
 * One reader of one topic, and how far it is. Made by `Tidings.subscribe`.
 *
 * @implements {AsyncIterable<Event>}
 */
export declare class Subscription implements AsyncIterable<Event> {
    #private;
    topic: string;
    /** The offset up to which events were received. With an iterator, some of them may wait to be taken. */
    position: string;
    /**
     * @param {string} topic
     * @param {Reading} reading
     * @param {Line} line
     */
    constructor(topic: string, reading: Reading, line: Line);
    /** Stop. An iterator ends. */
    close(): void;
    /**
     * What the connection received, of any topic. It may come twice, or begin too late.
     * @param {import("./connection.js").Received[]} events
     */
    take(events: import("./connection.js").Received[]): void;
    /** @param {Error} error the server refused the topic, or the whole connection */
    fail(error: Error): void;
    /** The whole connection is refused. Callbacks wait until it is tried again. @param {Error} error */
    interrupt(error: Error): void;
    [Symbol.asyncIterator](): AsyncGenerator<Event, void, unknown>;
}
