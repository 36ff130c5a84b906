export type Letter = {
    /**
     * with which it is sent, however often, so that it happens once
     */
    key: string;
    /**
     * letters of one lane are sent one after the other, in the order they were put in
     */
    lane: string;
    /**
     * why it will not be sent by itself; what is behind it in its lane waits
     */
    refused?: string;
};
export type Keeper = Pick<Storage, "getItem" | "setItem" | "removeItem">;
export type Options<L extends Letter> = {
    /**
     * rejected by a Problem when it is refused
     */
    send: (letter: L) => Promise<any>;
    /**
     * whether it may be sent now; call `pump` when that has changed
     */
    ready?: (letter: L) => boolean;
    /**
     * resolves when a letter that did not get through is tried again
     */
    wait: (failures: number) => Promise<unknown>;
    /**
     * where letters outlive the page; tabs may share it
     */
    storage?: Keeper;
    /**
     * in the storage
     */
    name?: string;
};
/**
 * What waits to be sent: anything that is JSON, and this.
 * @typedef {object} Letter
 * @property {string} key with which it is sent, however often, so that it happens once
 * @property {string} lane letters of one lane are sent one after the other, in the order they were put in
 * @property {string} [refused] why it will not be sent by itself; what is behind it in its lane waits
 */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Keeper */
/**
 * @template {Letter} L
 * @typedef {object} Options
 * @property {(letter: L) => Promise<any>} send rejected by a Problem when it is refused
 * @property {(letter: L) => boolean} [ready] whether it may be sent now; call `pump` when that has changed
 * @property {(failures: number) => Promise<unknown>} wait resolves when a letter that did not get through is tried again
 * @property {Keeper} [storage] where letters outlive the page; tabs may share it
 * @property {string} [name] in the storage
 */
/**
 * Letters to a server, sent in order and each once, whatever happens on the way. Fires `change`.
 *
 * @template {Letter} L
 */
export declare class Outbox<L extends Letter> extends EventTarget {
    #private;
    /** Those under way, by key. @type {Set<string>} */
    sending: Set<string>;
    /** @param {Options<L>} options */
    constructor(options: Options<L>);
    /** In the order in which they were put in. @returns {readonly L[]} */
    get letters(): readonly L[];
    /** @param {L} letter */
    put(letter: L): void;
    /**
     * Put a letter in and wait for its answer.
     * @param {L} letter
     * @returns {Promise<any>} rejected when it is refused; then it is out of the box
     */
    deliver(letter: L): Promise<any>;
    /** Do not send it. @param {string} key */
    discard(key: string): void;
    /** Send what was refused again. @param {string} key */
    retry(key: string): void;
    /** Look what can be sent now: the first letter of each lane. */
    pump(): void;
}
/** Whether only the way or the server's health stood against it: asked again, it may go well. @param {unknown} error */
export declare function isTemporary(error: unknown): boolean;
/** @returns {string} 20 characters that nobody else has. crypto.randomUUID is missing on plain http. */
export declare function newKey(): string;
