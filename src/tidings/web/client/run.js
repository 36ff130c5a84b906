import { newKey } from "./key.js";
import { ORIGIN } from "./offset.js";

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
export class Run {
  #tidings;

  /**
   * @param {import("./tidings.js").Tidings} tidings
   * @param {string} id
   */
  constructor(tidings, id) {
    this.#tidings = tidings;
    this.id = id;
    this.topic = `runs.${id}`;
  }

  /**
   * Follow the run's events, by default from the first one to the end.
   * @param {import("./subscription.js").SubscribeOptions} [options]
   */
  follow(options) {
    return this.#tidings.subscribe(this.topic, { after: ORIGIN, ...options });
  }

  [Symbol.asyncIterator]() {
    return this.follow()[Symbol.asyncIterator]();
  }

  /** @returns {Promise<{run: string, topic: string, state: string, outcome: string | null, offset: string}>} */
  state() {
    return this.#tidings.patiently(() => this.#tidings.request("GET", `/runs/${this.id}`));
  }

  /** Ask the run to stop. Its last event is `run.finished` with the outcome `cancelled`. Safe to repeat. */
  async stop() {
    await this.#tidings.patiently(() => this.#tidings.request("POST", `/runs/${this.id}/stop`));
  }
}

/** The runs of a server. */
export class Runs {
  #tidings;

  /** @param {import("./tidings.js").Tidings} tidings */
  constructor(tidings) {
    this.#tidings = tidings;
  }

  /**
   * Start a run. It is started once, even when the request has to be repeated.
   *
   * @param {RunRequest} request
   * @param {{key?: string}} [options] `key`: the same key again within 24 hours gives the same run
   * @returns {Promise<Run>}
   * @throws {Problem} the server refused it
   */
  async start(request, { key = newKey() } = {}) {
    const { run } = await this.#tidings.patiently(() => this.#tidings.request("POST", "/runs", { json: request, key }));
    return this.get(run);
  }

  /** A run that was started before. @param {string} id */
  get(id) {
    return new Run(this.#tidings, id);
  }
}
