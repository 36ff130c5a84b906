export type RunRequest = {
    /**
     * the question; or `messages`
     */
    input?: string;
    messages?: {
        role: string;
        content: string;
    }[];
    /**
     * by default the server's default assistant
     */
    assistant?: string;
    /**
     * also records the run here, as `run.created`
     */
    topic?: string;
    /**
     * the run of which this one is another version
     */
    parent?: string;
};
/**
 * The request that starts a run, as in `POST /runs`.
 * @typedef {object} RunRequest
 * @property {string} [input] the question; or `messages`
 * @property {{role: string, content: string}[]} [messages]
 * @property {string} [assistant] by default the server's default assistant
 * @property {string} [topic] also records the run here, as `run.created`
 * @property {string} [parent] the run of which this one is another version
 */
/**
 * An execution of an assistant. The run goes on even when nobody follows it. Made by `Tidings.runs`.
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
     * Follow the run's events, by default from the first one to the end.
     * @param {import("./subscription.js").SubscribeOptions} [options]
     */
    follow(options?: import("./subscription.js").SubscribeOptions): import("./subscription.js").Subscription;
    [Symbol.asyncIterator](): AsyncGenerator<import("./subscription.js").Event, void, unknown>;
    /** @returns {Promise<{run: string, topic: string, state: string, outcome: string | null, offset: string}>} */
    state(): Promise<{
        run: string;
        topic: string;
        state: string;
        outcome: string | null;
        offset: string;
    }>;
    /** Ask the run to stop. Its last event is `run.finished` with the outcome `cancelled`. Safe to repeat. */
    stop(): Promise<void>;
}
/** The runs of a server. */
export declare class Runs {
    #private;
    /** @param {import("./tidings.js").Tidings} tidings */
    constructor(tidings: import("./tidings.js").Tidings);
    /**
     * Start a run. It is started once, even when the request has to be repeated.
     *
     * @param {RunRequest} request
     * @param {{key?: string}} [options] `key`: the same key again within 24 hours gives the same run
     * @returns {Promise<Run>}
     * @throws {Problem} the server refused it
     */
    start(request: RunRequest, { key }?: {
        key?: string;
    }): Promise<Run>;
    /** A run that was started before. @param {string} id */
    get(id: string): Run;
}
