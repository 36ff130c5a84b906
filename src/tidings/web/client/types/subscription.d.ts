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
 * Events after `position` are gone, because retention trimmed the log, or because it was deleted or created anew. An
 * iterator throws it; a new subscription after `offset` gets the events that are left.
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
     * @param {string | null} earliest the offset of the first event that is left
     * @param {string} position the last event that was read
     * @param {string} offset the position from which to go on
     */
    constructor(topic: string, reason: "trimmed" | "deleted" | "recreated", earliest: string | null, position: string, offset: string);
}
export type SubscribeOptions = {
    /**
     * where to begin: after an offset, at the "earliest" event, at the "tail", which
     * brings only later events, or -N for the last N events. By default "tail"
     */
    after?: string | number;
    /**
     * called with events in order, each once, also across reconnects
     */
    onEvents?: (events: Event[]) => void;
    /**
     * events are gone; the subscription goes on after them
     */
    onReset?: (reset: Reset) => void;
    /**
     * the topic is closed and read to its end; the subscription is over
     */
    onEnd?: () => void;
    /**
     * the server refused the topic; the subscription is over. Without this
     * callback the error is reported as an uncaught one
     */
    onError?: (error: Error) => void;
};
export type ConnectionPort = {
    /**
     * finds the position for a place to begin
     */
    locate: (topic: string, after: string | number) => Promise<string>;
    /**
     * brings the events after the subscription's position
     */
    follow: (subscription: Subscription) => void;
    leave: (subscription: Subscription) => void;
};
/**
 * Options of following a topic. With `onEvents` following begins at once, and `onReset` must be there; without it the
 * subscription is an iterator and begins with the iteration.
 *
 * @typedef {object} SubscribeOptions
 * @property {string | number} [after] where to begin: after an offset, at the "earliest" event, at the "tail", which
 *   brings only later events, or -N for the last N events. By default "tail"
 * @property {(events: Event[]) => void} [onEvents] called with events in order, each once, also across reconnects
 * @property {(reset: Reset) => void} [onReset] events are gone; the subscription goes on after them
 * @property {() => void} [onEnd] the topic is closed and read to its end; the subscription is over
 * @property {(error: Error) => void} [onError] the server refused the topic; the subscription is over. Without this
 *   callback the error is reported as an uncaught one
 */
/**
 * The connection, as a subscription uses it.
 * @typedef {object} ConnectionPort
 * @property {(topic: string, after: string | number) => Promise<string>} locate finds the position for a place to begin
 * @property {(subscription: Subscription) => void} follow brings the events after the subscription's position
 * @property {(subscription: Subscription) => void} leave
 */
/**
 * A reader of one topic, with its position. Made by `Tidings.subscribe`.
 *
 * @implements {AsyncIterable<Event>}
 */
export declare class Subscription implements AsyncIterable<Event> {
    #private;
    topic: string;
    /** The offset of the last event received; with an iterator, some may still wait to be taken. "" until it is known. */
    position: string;
    /**
     * @param {string} topic
     * @param {SubscribeOptions} options
     * @param {ConnectionPort} port
     */
    constructor(topic: string, options: SubscribeOptions, port: ConnectionPort);
    /** End the subscription. Its iterator ends. */
    close(): void;
    /**
     * Take the events of this topic that come next. The connection may bring events of other topics, events that were read
     * already, and events after a gap.
     * @param {import("./connection.js").ReceivedEvent[]} events
     */
    take(events: import("./connection.js").ReceivedEvent[]): void;
    /** @param {Error} error the server refused the topic, or the whole connection */
    fail(error: Error): void;
    /** The server refused the whole connection. Iterators throw; callbacks wait for the next attempt. @param {Error} error */
    interrupt(error: Error): void;
    [Symbol.asyncIterator](): AsyncGenerator<Event, void, unknown>;
}
/** @param {string | number} after @returns {after is string} */
export declare const isOffset: (after: string | number) => after is string;
