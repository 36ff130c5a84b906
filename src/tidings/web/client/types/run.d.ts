/**
 * A run: one execution of an assistant, which goes on whether anybody looks or not. From `Tidings.run`, or, for one
 * that was started before, `Tidings.runOf`.
 *
 * @implements {AsyncIterable<import("./subscription.js").Event>}
 */
export declare class Run implements AsyncIterable<import("./subscription.js").Event> {
    #private;
    id: string;
    topic: string;
    /**
     * @param {import("./tidings.js").Tidings} tidings
     * @param {string} id
     */
    constructor(tidings: import("./tidings.js").Tidings, id: string);
    /**
     * Its events, from the first one to its end.
     * @param {import("./subscription.js").Reading} [reading]
     */
    events(reading?: import("./subscription.js").Reading): import("./subscription.js").Subscription;
    [Symbol.asyncIterator](): AsyncGenerator<import("./subscription.js").Event, void, unknown>;
    /** @returns {Promise<{run: string, topic: string, state: string, outcome: string | null, offset: string}>} */
    state(): Promise<{
        run: string;
        topic: string;
        state: string;
        outcome: string | null;
        offset: string;
    }>;
    /** Ask it to stop. Its last event, `run.finished` with the outcome `cancelled`, says when it has. Safe to repeat. */
    stop(): Promise<void>;
}
