/**
 * @typedef {object} ServerSentEvent
 * @property {string} type "message" when the stream names none
 * @property {string} data
 * @property {string} id the last event ID when the event fired, or ""
 * @property {number | null} retry the reconnection time in its block, in milliseconds
 */
export type ServerSentEvent = {
    /**
     * "message" when the stream names none
     */
    type: string;
    data: string;
    /**
     * the last event ID when the event fired, or ""
     */
    id: string;
    /**
     * the reconnection time in its block, in milliseconds
     */
    retry: number | null;
};
/**
 * The WHATWG parser of event streams. It takes time linear in the bytes, no matter how they are cut into chunks.
 *
 * An event fires with the line end of its blank line; a CR that ends a chunk does not delay it. An event that the stream
 * leaves unfinished never fires, and its ID is not taken.
 */
export declare class Decoder {
    #private;
    /** The last event ID, taken when a block ends. A reconnect presents it. @type {string} */
    lastEventId: string;
    /** The last reconnection time that the server asked for, in milliseconds. @type {number | null} */
    retry: number | null;
    /** @param {string} [lastEventId] of the connection before this one, which holds until an event brings another */
    constructor(lastEventId?: string);
    /**
     * @param {Uint8Array} bytes
     * @returns {ServerSentEvent[]} the events these bytes complete, in order
     */
    feed(bytes: Uint8Array): ServerSentEvent[];
}
