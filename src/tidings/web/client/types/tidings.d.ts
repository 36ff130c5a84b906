import { Problem } from "./http.js";
import { Outbox } from "./outbox.js";
import { Run } from "./run.js";
import { Subscription } from "./subscription.js";
export type Options = {
    /**
     * called for a JSON Web Token when one is needed: at first, before
     * the one there is expires, and when it is refused. Without it, the page's cookie says who one is
     */
    token?: () => string | Promise<string>;
    /**
     * one connection for all tabs, where the browser can; by default, in a page
     */
    share?: boolean;
    /**
     * where events that wait to be published outlive the page
     */
    storage?: import("./outbox.js").Keeper;
    /**
     * milliseconds without a byte after which a connection counts as dead
     */
    silence?: number;
    /**
     * milliseconds the first wait may take, until the server says otherwise
     */
    retry?: number;
};
export type Connection = Omit<import("./connection.js").Standing, "problem"> & {
    problem?: Problem;
};
export type Publication = import("./outbox.js").Letter & {
    type?: string;
    data: unknown;
};
/**
 * @typedef {object} Options
 * @property {() => string | Promise<string>} [token] called for a JSON Web Token when one is needed: at first, before
 *   the one there is expires, and when it is refused. Without it, the page's cookie says who one is
 * @property {boolean} [share] one connection for all tabs, where the browser can; by default, in a page
 * @property {import("./outbox.js").Keeper} [storage] where events that wait to be published outlive the page
 * @property {number} [silence] milliseconds without a byte after which a connection counts as dead
 * @property {number} [retry] milliseconds the first wait may take, until the server says otherwise
 */
/**
 * How the connection is. `by` says who holds it: a shared worker, one of the tabs for all, or this client for itself.
 *
 * @typedef {Omit<import("./connection.js").Standing, "problem"> & {problem?: Problem}} Connection `problem`: why the
 *   server refuses it, and nothing more is tried until `reconnect`
 */
/** @typedef {import("./outbox.js").Letter & {type?: string, data: unknown}} Publication */
/**
 * A Tidings server: topics followed over one connection, events published in order, runs.
 *
 * Fires `connection` whenever `connection` has changed. The set of topics may change at any time: the connection is
 * made anew, and every reader keeps its place.
 */
export declare class Tidings extends EventTarget {
    #private;
    /** @type {Connection} */
    connection: Connection;
    /** What waits to be published, in order. @type {Outbox<Publication>} */
    outbox: Outbox<Publication>;
    /**
     * @param {string} [url] where the server is; "" is this page's origin
     * @param {Options} [options]
     */
    constructor(url?: string, options?: Options);
    /**
     * Follow a topic: `for await (const event of tidings.subscribe(topic))`, or with callbacks. Several may follow the same.
     *
     * An iterator throws `Reset` when events are gone (unless there is an `onReset`), and `Problem` when the server
     * refuses the topic.
     *
     * @param {string} topic one of at most 32
     * @param {import("./subscription.js").Reading} [reading]
     */
    subscribe(topic: string, reading?: import("./subscription.js").Reading): Subscription;
    /**
     * Store an event. Until the server can be reached it waits, with all others of its topic behind it, in order; it is
     * stored once, however often it is sent.
     *
     * @param {string} topic
     * @param {unknown} data anything that is JSON
     * @param {{type?: string, key?: string, transient?: boolean}} [options] `key`: the same one again within 24 hours
     *   stores nothing; `transient`: only to whoever follows now, not stored, and not tried again
     * @returns {Promise<{offset: string, first: string, last: string} | null>} when it is durable; null when transient
     * @throws {Problem} the server refused it
     */
    publish(topic: string, data: unknown, { type, key, transient }?: {
        type?: string;
        key?: string;
        transient?: boolean;
    }): Promise<{
        offset: string;
        first: string;
        last: string;
    } | null>;
    /**
     * Start a run; it is started once, however often this has to be sent.
     *
     * @param {{input?: string, messages?: {role: string, content: string}[], assistant?: string, topic?: string,
     *   parent?: string}} what as in `POST /runs`
     * @param {{key?: string}} [options]
     * @returns {Promise<Run>}
     * @throws {Problem} the server refused it
     */
    run(what: {
        input?: string;
        messages?: {
            role: string;
            content: string;
        }[];
        assistant?: string;
        topic?: string;
        parent?: string;
    }, { key }?: {
        key?: string;
    }): Promise<Run>;
    /** A run that was started before. @param {string} id */
    runOf: (id: string) => Run;
    /**
     * One page of a log, in which neighbouring deltas of runs come merged.
     * @param {string} topic
     * @param {string} [after] an offset; by default from the earliest event
     * @returns {Promise<{events: import("./subscription.js").Event[], next: string, up_to_date: boolean, closed: boolean}>} `next`: where to
     *   read on, or to subscribe
     * @throws {Problem} 404: there is no such topic; 410: events after the offset are gone
     */
    read(topic: string, after?: string): Promise<{
        events: import("./subscription.js").Event[];
        next: string;
        up_to_date: boolean;
        closed: boolean;
    }>;
    /**
     * One request, with the token. Without an answer in 40 s (or `silence`) the server counts as not reached.
     * @param {string} method
     * @param {string} path
     * @param {Omit<import("./http.js").RequestOptions, "signal" | "fetch">} [options]
     */
    request(method: string, path: string, options?: Omit<import("./http.js").RequestOptions, "signal" | "fetch">): Promise<any>;
    /**
     * Ask until there is an answer: what only the way or the server's health stood against is asked again.
     * @template T
     * @param {() => Promise<T>} ask
     * @returns {Promise<T>}
     * @throws {Problem} what the server refused
     */
    patiently<T>(ask: () => Promise<T>): Promise<T>;
    /** Try again now. */
    reconnect(): void;
    /** Leave the connection, and end every subscription. What waits in the outbox is not sent by this client any more. */
    close(): void;
}
