/** The most topics that one connection follows. */
export declare const MOST_TOPICS = 32;
export type TabMessage = {
    /**
     * the tab's name
     */
    from: string;
    /**
     * topics, each with the position after which the tab needs its events. A tab
     * repeats a topic to get events again
     */
    follow?: Record<string, string>;
    unfollow?: string[];
    reconnect?: true;
    /**
     * the answer to `ask`; null when the tab has none
     */
    token?: string | null;
    leave?: true;
};
export type HolderMessage = {
    to?: string;
    /**
     * the holder is new: each tab repeats what it follows
     */
    hello?: true;
    events?: ReceivedEvent[];
    state?: ConnectionState;
    refused?: {
        topics: string[];
        problem: ProblemParts;
    };
    /**
     * asks the tab for a token other than the refused one, which may be ""
     */
    ask?: {
        refused: string;
    };
    /**
     * the connection has no place for the tab's topics: the tab makes its own connection
     */
    alone?: true;
};
export type ReceivedEvent = import("./subscription.js").Event & {
    at?: string;
    was?: string;
};
export type ProblemParts = [number, string, string, Record<string, unknown>];
export type ConnectionState = Omit<import("./stream.js").State, "problem"> & {
    problem?: ProblemParts;
    topics: number;
    tabs: number;
    by: By;
};
export type By = "worker" | "tab" | "self";
export type Settings = {
    /**
     * the server's address, without a final slash
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
 * A message from a tab to the holder of the connection.
 * @typedef {object} TabMessage
 * @property {string} from the tab's name
 * @property {Record<string, string>} [follow] topics, each with the position after which the tab needs its events. A tab
 *   repeats a topic to get events again
 * @property {string[]} [unfollow]
 * @property {true} [reconnect]
 * @property {string | null} [token] the answer to `ask`; null when the tab has none
 * @property {true} [leave]
 */
/**
 * A message from the holder of the connection to all tabs, or to the tab in `to`.
 * @typedef {object} HolderMessage
 * @property {string} [to]
 * @property {true} [hello] the holder is new: each tab repeats what it follows
 * @property {ReceivedEvent[]} [events]
 * @property {ConnectionState} [state]
 * @property {{topics: string[], problem: ProblemParts}} [refused]
 * @property {{refused: string}} [ask] asks the tab for a token other than the refused one, which may be ""
 * @property {true} [alone] the connection has no place for the tab's topics: the tab makes its own connection
 */
/**
 * An event as the server sent it. A reset has the connection's position before it (`was`) and after it (`at`).
 * @typedef {import("./subscription.js").Event & {at?: string, was?: string}} ReceivedEvent
 */
/** @typedef {[number, string, string, Record<string, unknown>]} ProblemParts the arguments that make a Problem again */
/**
 * The state of the connection, as it can be sent to another tab.
 * @typedef {Omit<import("./stream.js").State, "problem"> & {problem?: ProblemParts, topics: number, tabs: number, by: By}} ConnectionState
 */
/** @typedef {"worker" | "tab" | "self"} By the holder: a shared worker, one tab for all, or each client for itself */
/**
 * @typedef {object} Settings
 * @property {string} base the server's address, without a final slash
 * @property {boolean} [bearer] tabs have tokens
 * @property {number} [silence]
 * @property {number} [retry]
 */
/**
 * The event stream of all tabs.
 *
 * The stream's position in a topic is the earliest that any tab has asked for; tabs that are further drop the events
 * that they have. So every tab gets every event once, no matter when it came and which tab held the connection before.
 */
export declare class Connection {
    #private;
    /**
     * @param {Settings} settings
     * @param {By} by
     * @param {(message: HolderMessage) => void} send
     */
    constructor(settings: Settings, by: By, send: (message: HolderMessage) => void);
    /** @param {TabMessage} message */
    receive({ from, follow, unfollow, reconnect, token, leave }: TabMessage): void;
    /** End without a message to the tabs: another holder takes over. */
    close(): void;
}
