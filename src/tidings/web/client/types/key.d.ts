/**
 * A random key of 20 characters, for an `Idempotency-Key` or a name. crypto.randomUUID is missing on plain http.
 * @returns {string}
 */
export declare function newKey(): string;
