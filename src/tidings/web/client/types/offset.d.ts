/** The position before the first event of a topic. */
export declare const ORIGIN = "0-0";
/**
 * Compare an event's offset with the position of a reader: "next" is the event that must come now, "old" was read
 * already, and at a "gap" events between the two are missing.
 *
 * Within an epoch (one life of a log) each offset is one more than the offset before.
 *
 * @param {string} position
 * @param {string} offset
 * @returns {"next" | "old" | "gap"}
 */
export declare function order(position: string, offset: string): "next" | "old" | "gap";
/**
 * Decide for a reader at `position` if a reset lost any of its events. A reader that is past the lost events has
 * missed nothing. A log that went back within its epoch, as after a restored backup, concerns every reader.
 * @param {string} position
 * @param {import("./connection.js").ReceivedEvent} reset
 */
export declare function concerns(position: string, { at, was, data }: import("./connection.js").ReceivedEvent): boolean;
/**
 * The position after which a reader begins.
 * @param {{epoch: string, earliest: string, tail: string}} topic the answer of `GET /topics/TOPIC`
 * @param {string | number} after "earliest", "tail", or -N for the last N events
 * @returns {string} an offset
 */
export declare function startOf({ epoch, earliest, tail }: {
    epoch: string;
    earliest: string;
    tail: string;
}, after: string | number): string;
