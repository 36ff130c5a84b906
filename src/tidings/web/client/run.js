/**
 * A run: one execution of an assistant, which goes on whether anybody looks or not. From `Tidings.run`, or, for one
 * that was started before, `Tidings.runOf`.
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
   * Its events, from the first one to its end.
   * @param {import("./subscription.js").Reading} [reading]
   */
  events(reading) {
    return this.#tidings.subscribe(this.topic, reading);
  }

  [Symbol.asyncIterator]() {
    return this.events()[Symbol.asyncIterator]();
  }

  /** @returns {Promise<{run: string, topic: string, state: string, outcome: string | null, offset: string}>} */
  state() {
    return this.#tidings.patiently(() => this.#tidings.request("GET", `/runs/${this.id}`));
  }

  /** Ask it to stop. Its last event, `run.finished` with the outcome `cancelled`, says when it has. Safe to repeat. */
  async stop() {
    await this.#tidings.patiently(() => this.#tidings.request("POST", `/runs/${this.id}/stop`));
  }
}
