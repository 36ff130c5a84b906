/**
 * @typedef {object} ServerSentEvent
 * @property {string} type "message" when the stream names none
 * @property {string} data
 * @property {string} id the last event ID when the event fired; "" when there is none
 * @property {number | null} retry the reconnection time in its block, in milliseconds
 */
export type ServerSentEvent = {
    /**
     * "message" when the stream names none
     */
    type: string;
    data: string;
    /**
     * the last event ID when the event fired; "" when there is none
     */
    id: string;
    /**
     * the reconnection time in its block, in milliseconds
     */
    retry: number | null;
};
/**
 * WHATWG's interpretation of an event stream, in time linear in its bytes, however they are cut.
 *
 * An event fires with the line end of its blank line; a CR that ends a chunk does not delay it. One that the stream
 * leaves unfinished never fires, and its id is not taken.
 */
export declare class Decoder {
    #private;
    /** The last event ID, taken when a block ends. It is what a reconnect presents. @type {string} */
    lastEventId: string;
    /** The reconnection time the server asked for last, in milliseconds. @type {number | null} */
    retry: number | null;
    /** @param {string} [lastEventId] of the connection before this one: it holds until an event brings another */
    constructor(lastEventId?: string);
    /**
     * @param {Uint8Array} bytes
     * @returns {ServerSentEvent[]} the events these bytes complete, in order
     */
    feed(bytes: Uint8Array): ServerSentEvent[];
}
