/**
 * The token in use, got when it is needed and replaced before it expires. Without one, the server is not reached.
 *
 * A token that seems to be expired when it comes is from another clock: it is used until the server refuses it.
 */
export declare class Tokens {
    #private;
    /** When to replace the one there is, in milliseconds since 1970. */
    renewAt: number;
    /** @param {(refused: string) => Promise<string>} ask for a token other than the refused one, which may be "" */
    constructor(ask: (refused: string) => Promise<string>);
    /**
     * @param {string} [refused] a token the server took no more
     * @returns {Promise<string>} rejected when there is none to be had
     */
    get(refused?: string): Promise<string>;
    /** Another one than the one there is. @returns {Promise<boolean>} whether it is another */
    renew(): Promise<boolean>;
    /**
     * `fetch` with the token, and once more with another when it is refused.
     * @type {typeof fetch}
     */
    fetch: typeof fetch;
}
/**
 * @param {string} token
 * @returns {Record<string, unknown>} what a JSON Web Token says, its UTF-8 unread; nothing when it is none
 */
export declare function claimsOf(token: string): Record<string, unknown>;
