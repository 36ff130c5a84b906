const LONGEST_WAIT = 30_000;

/** Waits between attempts: a random part of a time that doubles with each failure, ended early by good news. */
export class Patience {
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /**
   * @param {number} failures in a row
   * @returns {Promise<void>}
   */
  wait(failures) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, 250 + Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** failures));
      this.#waiting.add(done);
    });
  }

  /** Whoever waits tries again now. */
  end() {
    for (const done of this.#waiting) done();
  }
}
