export type PendingSend = {
    /**
     * sent with every attempt, so that the server acts on it once
     */
    key: string;
    /**
     * sends of one lane go one after the other, in the order they were put in
     */
    lane: string;
    /**
     * the reason why it is not sent by itself any more; later sends of its lane wait
     */
    refused?: string;
};
export type KeyValueStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;
export type Options<P extends PendingSend> = {
    /**
     * rejected by a Problem when the server refuses
     */
    send: (pending: P) => Promise<any>;
    /**
     * may be sent now. Call `pump` when the answer has changed
     */
    ready?: (pending: P) => boolean;
    /**
     * resolves when the send that failed with this error
     * is to be tried again
     */
    wait: (failures: number, error: any) => Promise<unknown>;
    /**
     * keeps what waits beyond the page; tabs may share it
     */
    storage?: KeyValueStore;
    /**
     * in the storage
     */
    name?: string;
};
/**
 * Something that waits to be sent: any JSON object with these properties.
 * @typedef {object} PendingSend
 * @property {string} key sent with every attempt, so that the server acts on it once
 * @property {string} lane sends of one lane go one after the other, in the order they were put in
 * @property {string} [refused] the reason why it is not sent by itself any more; later sends of its lane wait
 */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} KeyValueStore */
/**
 * @template {PendingSend} P
 * @typedef {object} Options
 * @property {(pending: P) => Promise<any>} send rejected by a Problem when the server refuses
 * @property {(pending: P) => boolean} [ready] may be sent now. Call `pump` when the answer has changed
 * @property {(failures: number, error: any) => Promise<unknown>} wait resolves when the send that failed with this error
 *   is to be tried again
 * @property {KeyValueStore} [storage] keeps what waits beyond the page; tabs may share it
 * @property {string} [name] in the storage
 */
/**
 * A box of pending sends: each is sent in order, and acted on once, no matter what happens on the way. Fires `change`.
 *
 * @template {PendingSend} P
 */
export declare class Outbox<P extends PendingSend> extends EventTarget {
    #private;
    /** The keys of the sends under way. @type {Set<string>} */
    sending: Set<string>;
    /** @param {Options<P>} options */
    constructor(options: Options<P>);
    /** The pending sends, in the order in which they were put in. @returns {readonly P[]} */
    get pending(): readonly P[];
    /** @param {P} pending */
    put(pending: P): void;
    /**
     * Put something in and wait for the server's answer.
     * @param {P} pending
     * @returns {Promise<any>} rejected when the server refuses; then it is out of the box
     */
    deliver(pending: P): Promise<any>;
    /** Take something out without sending it. @param {string} key */
    discard(key: string): void;
    /** Send something again that was refused. @param {string} key */
    retry(key: string): void;
    /** Send the first of each lane that is ready. */
    pump(): void;
}
/** @param {unknown} error @returns {boolean} the failure is of the network or the server, so that the publication is tried again */
export declare function isTemporary(error: unknown): boolean;
