/** Before the first event of a log, whichever life of it comes first. */
export declare const ORIGIN = "0-0";
/**
 * How an event stands to a reader that has read up to `position`: "next" is the one that must come now, "old" was read
 * already, and at a "gap" something lies between the two.
 *
 * Offsets are dense: within an epoch, which is one life of a log, each is one more than the offset before.
 *
 * @param {string} position
 * @param {string} offset
 * @returns {"next" | "old" | "gap"}
 */
export declare function standing(position: string, offset: string): "next" | "old" | "gap";
/**
 * Whether a reader at `position` is told of a reset: not when it is past what is gone. A log that went back within
 * its epoch, as from a backup, is news for everybody.
 * @param {string} position
 * @param {import("./connection.js").Received} reset
 */
export declare function concerns(position: string, { at, was, data }: import("./connection.js").Received): boolean;
