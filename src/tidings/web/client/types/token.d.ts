/**
 * The token in use. It is fetched when it is needed and replaced before it expires.
 *
 * A token that seems to have expired when it comes was made by another clock. It is used until the server refuses it.
 */
export declare class Tokens {
    #private;
    /** The time to replace the current token, in milliseconds since 1970. */
    renewAt: number;
    /** @param {(refused: string) => Promise<string>} ask gives a token other than the refused one, which may be "" */
    constructor(ask: (refused: string) => Promise<string>);
    /**
     * @param {string} [refused] a token that the server has refused
     * @returns {Promise<string>} rejected by Unreachable when there is no token
     */
    get(refused?: string): Promise<string>;
    /** Fetch a new token. @returns {Promise<boolean>} the token has changed */
    renew(): Promise<boolean>;
    /**
     * `fetch` with the token. When the server refuses the token, the request is sent once more with a new one.
     * @type {typeof fetch}
     */
    fetch: typeof fetch;
}
/**
 * @param {string} token
 * @returns {Record<string, unknown>} the claims of a JSON Web Token, with their UTF-8 not decoded; empty for other text
 */
export declare function claimsOf(token: string): Record<string, unknown>;
