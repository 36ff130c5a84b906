import { Problem } from "./http.js";
import { Outbox } from "./outbox.js";
import { Runs } from "./run.js";
import { Subscription } from "./subscription.js";
export type Options = {
    /**
     * called when a JSON Web Token is needed: at the start, before the
     * current token expires, and when the server refuses it. Without this function the page's cookie signs in
     */
    token?: () => string | Promise<string>;
    /**
     * use one connection for all tabs, if the browser can. By default true in a page
     */
    share?: boolean;
    /**
     * keeps events that wait to be published beyond the page
     */
    storage?: import("./outbox.js").KeyValueStore;
    /**
     * milliseconds without a byte after which a connection counts as dead
     */
    silence?: number;
    /**
     * milliseconds that the first wait may take, until the server asks for another time
     */
    retry?: number;
};
export type Connection = Omit<import("./connection.js").ConnectionState, "problem"> & {
    problem?: Problem;
};
export type NewEvent = {
    type?: string;
    data: unknown;
};
export type PendingPublish = import("./outbox.js").PendingSend & {
    events: NewEvent[];
};
export type Published = {
    offset: string;
    first: string;
    last: string;
};
/**
 * @typedef {object} Options
 * @property {() => string | Promise<string>} [token] called when a JSON Web Token is needed: at the start, before the
 *   current token expires, and when the server refuses it. Without this function the page's cookie signs in
 * @property {boolean} [share] use one connection for all tabs, if the browser can. By default true in a page
 * @property {import("./outbox.js").KeyValueStore} [storage] keeps events that wait to be published beyond the page
 * @property {number} [silence] milliseconds without a byte after which a connection counts as dead
 * @property {number} [retry] milliseconds that the first wait may take, until the server asks for another time
 */
/**
 * The state of the connection. `by` names its holder: a shared worker, one tab for all, or this client for itself.
 * `problem` is the server's reason for refusing it; nothing more is tried until `reconnect`.
 *
 * @typedef {Omit<import("./connection.js").ConnectionState, "problem"> & {problem?: Problem}} Connection
 */
/** @typedef {{type?: string, data: unknown}} NewEvent `type` is "message" by default; `data` is any JSON value */
/** @typedef {import("./outbox.js").PendingSend & {events: NewEvent[]}} PendingPublish its lane is its topic */
/** @typedef {{offset: string, first: string, last: string}} Published the offsets of the first and the last event */
/**
 * A Tidings server: topics followed over one connection, events published in order, runs.
 *
 * Fires `connection` whenever `connection` has changed. The set of topics may change at any time: the client then
 * connects anew, and every reader keeps its position.
 */
export declare class Tidings extends EventTarget {
    #private;
    /** @type {Connection} */
    connection: Connection;
    /** Events that wait to be published, in order. @type {Outbox<PendingPublish>} */
    outbox: Outbox<PendingPublish>;
    /** Starts and finds runs of assistants. */
    runs: Runs;
    /**
     * @param {string} [url] the server's address; "" is this page's origin
     * @param {Options} [options]
     */
    constructor(url?: string, options?: Options);
    /**
     * Follow a topic: `for await (const event of tidings.subscribe(topic))`, or with callbacks. Several subscriptions may
     * follow the same topic, and all of them together at most 32 topics.
     *
     * An iterator throws `Reset` when events are gone (unless there is an `onReset`), and `Problem` when the server
     * refuses the topic.
     *
     * @param {string} topic
     * @param {import("./subscription.js").SubscribeOptions} [options]
     */
    subscribe(topic: string, options?: import("./subscription.js").SubscribeOptions): Subscription;
    /**
     * Publish an event. While the server cannot be reached the event waits, and later events of its topic wait behind it.
     * It is stored once, even when the request has to be repeated.
     *
     * @param {string} topic
     * @param {unknown} data anything that is JSON
     * @param {{type?: string, transient?: boolean, key?: string}} [options] `transient`: the event goes to the present
     *   readers, is not stored, and is not sent again; `key`: the same key again within 24 hours stores nothing
     * @returns {Promise<Published | null>} resolved when the event is durable; null for a transient event
     * @throws {Problem} the server refused it
     */
    publish(topic: string, data: unknown, { type, transient, key }?: {
        type?: string;
        transient?: boolean;
        key?: string;
    }): Promise<Published | null>;
    /**
     * Publish several events of one topic in one commit: all of them are stored, or none.
     *
     * @param {string} topic
     * @param {NewEvent[]} events
     * @param {{key?: string}} [options] as in `publish`
     * @returns {Promise<Published>} resolved when the events are durable
     * @throws {Problem} the server refused them
     */
    publishMany(topic: string, events: NewEvent[], { key }?: {
        key?: string;
    }): Promise<Published>;
    /**
     * Read one page of a topic. Neighbouring deltas of a run are merged.
     * @param {string} topic
     * @param {string | number} [after] an offset, "earliest" (the default), "tail", or -N for the last N events
     * @returns {Promise<{events: import("./subscription.js").Event[], next: string, up_to_date: boolean, closed: boolean}>} `next`:
     *   the position to read or subscribe after
     * @throws {Problem} 404: there is no such topic; 410: events after the offset are gone
     */
    read(topic: string, after?: string | number): Promise<{
        events: import("./subscription.js").Event[];
        next: string;
        up_to_date: boolean;
        closed: boolean;
    }>;
    /**
     * Send one request, with the token. Without an answer in 40 s (or `silence`) the server counts as unreachable.
     * @param {string} method
     * @param {string} path
     * @param {Omit<import("./http.js").RequestOptions, "signal" | "fetch">} [options]
     */
    request(method: string, path: string, options?: Omit<import("./http.js").RequestOptions, "signal" | "fetch">): Promise<any>;
    /**
     * Repeat `ask` until it resolves. Only failures of the network and of the server's health are repeated.
     * @template T
     * @param {() => Promise<T>} ask
     * @returns {Promise<T>}
     * @throws {Problem} the server refused
     */
    patiently<T>(ask: () => Promise<T>): Promise<T>;
    /** Connect again now. */
    reconnect(): void;
    /** Leave the connection and end every subscription. This client sends nothing from its outbox any more. */
    close(): void;
}
