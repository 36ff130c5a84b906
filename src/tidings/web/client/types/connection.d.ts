/** Topics one connection may follow. */
export declare const MOST_TOPICS = 32;
export type Told = {
    /**
     * the tab
     */
    from: string;
    follow?: Record<string, string>;
    unfollow?: string[];
    reconnect?: true;
    token?: string | null;
    leave?: true;
};
export type Tells = {
    to?: string;
    hello?: true;
    events?: Received[];
    state?: Standing;
    refused?: {
        topics: string[];
        problem: Refusal;
    };
    /**
     * for a token
     */
    ask?: {
        refused: string;
    };
    alone?: true;
};
export type Received = import("./subscription.js").Event & {
    at?: string;
    was?: string;
};
export type Refusal = [number, string, string, Record<string, unknown>];
export type Standing = Omit<import("./stream.js").State, "problem"> & {
    problem?: Refusal;
    topics: number;
    tabs: number;
    by: By;
};
export type By = "worker" | "tab" | "self";
export type Settings = {
    /**
     * where the server is, without a final slash
     */
    base: string;
    /**
     * tabs have tokens
     */
    bearer?: boolean;
    silence?: number;
    retry?: number;
};
/**
 * What a tab tells the connection. `follow`: topics and where it is in each, also when it must have them from there
 * again; `token`: its answer when it was asked, null when it has none.
 * @typedef {object} Told
 * @property {string} from the tab
 * @property {Record<string, string>} [follow]
 * @property {string[]} [unfollow]
 * @property {true} [reconnect]
 * @property {string | null} [token]
 * @property {true} [leave]
 */
/**
 * What the connection tells all tabs, or the one it names. `hello`: it is new, and knows nothing yet; `alone`: there is
 * no room for this tab's topics.
 * @typedef {object} Tells
 * @property {string} [to]
 * @property {true} [hello]
 * @property {Received[]} [events]
 * @property {Standing} [state]
 * @property {{topics: string[], problem: Refusal}} [refused]
 * @property {{refused: string}} [ask] for a token
 * @property {true} [alone]
 */
/**
 * An event as the server sent it. A reset has the connection's positions before (`was`) and after it (`at`).
 * @typedef {import("./subscription.js").Event & {at?: string, was?: string}} Received
 */
/** @typedef {[number, string, string, Record<string, unknown>]} Refusal what a Problem is made of */
/**
 * @typedef {Omit<import("./stream.js").State, "problem"> & {problem?: Refusal, topics: number, tabs: number, by: By}} Standing
 */
/** @typedef {"worker" | "tab" | "self"} By who holds the connection */
/**
 * @typedef {object} Settings
 * @property {string} base where the server is, without a final slash
 * @property {boolean} [bearer] tabs have tokens
 * @property {number} [silence]
 * @property {number} [retry]
 */
/**
 * One event stream for all tabs.
 *
 * Its position in a topic is the least that any of them has asked for, and whoever is further drops what it has. So
 * every tab gets every event once, whenever it came, and whoever held the connection before.
 */
export declare class Connection {
    #private;
    /**
     * @param {Settings} settings
     * @param {By} by
     * @param {(message: Tells) => void} send
     */
    constructor(settings: Settings, by: By, send: (message: Tells) => void);
    /** @param {Told} message */
    receive({ from, follow, unfollow, reconnect, token, leave }: Told): void;
    /** Without a word: another one takes over. */
    close(): void;
}
