/**
 * @typedef {object} ServerSentEvent
 * @property {string} type "message" when the stream names none
 * @property {string} data
 * @property {string} id the last event ID when the event fired; "" when there is none
 * @property {number | null} retry the reconnection time in its block, in milliseconds
 */

const CR = 13;
const LF = 10;

/**
 * WHATWG's interpretation of an event stream, in time linear in its bytes, however they are cut.
 *
 * An event fires with the line end of its blank line; a CR that ends a chunk does not delay it. One that the stream
 * leaves unfinished never fires, and its id is not taken.
 */
export class Decoder {
  /** The last event ID, taken when a block ends. It is what a reconnect presents. @type {string} */
  lastEventId;
  /** The reconnection time the server asked for last, in milliseconds. @type {number | null} */
  retry = null;

  #text = new TextDecoder();
  // The unfinished line. Engines keep a string grown by += as a rope, so a line of many chunks stays linear.
  #line = "";
  #afterCr = false;
  /** @type {string} */
  #id;
  #type = "";
  /** @type {string[]} */
  #data = [];
  /** @type {number | null} */
  #retryHere = null;

  /** @param {string} [lastEventId] of the connection before this one: it holds until an event brings another */
  constructor(lastEventId = "") {
    this.lastEventId = this.#id = lastEventId;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {ServerSentEvent[]} the events these bytes complete, in order
   */
  feed(bytes) {
    const text = this.#text.decode(bytes, { stream: true });
    /** @type {ServerSentEvent[]} */
    const fired = [];
    let from = 0;
    if (this.#afterCr && text !== "") {
      this.#afterCr = false;
      if (text.charCodeAt(0) === LF) from = 1;
    }
    // A search that found nothing is not repeated: most streams hold no CR at all, and scanning to the end of the
    // chunk for each line would be quadratic.
    let lf = text.indexOf("\n", from);
    let cr = text.indexOf("\r", from);
    while (lf !== -1 || cr !== -1) {
      const end = lf === -1 || (cr !== -1 && cr < lf) ? cr : lf;
      this.#take(this.#line + text.slice(from, end), fired);
      this.#line = "";
      from = end + 1;
      if (text.charCodeAt(end) === CR) {
        if (from === text.length) this.#afterCr = true;
        else if (text.charCodeAt(from) === LF) from += 1;
      }
      if (lf !== -1 && lf < from) lf = text.indexOf("\n", from);
      if (cr !== -1 && cr < from) cr = text.indexOf("\r", from);
    }
    this.#line += text.slice(from);
    return fired;
  }

  /**
   * @param {string} line
   * @param {ServerSentEvent[]} fired
   */
  #take(line, fired) {
    if (line === "") {
      this.#blank(fired);
      return;
    }
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^[0-9]{1,18}$/.test(value)) this.retry = this.#retryHere = Number(value);
  }

  /** @param {ServerSentEvent[]} fired */
  #blank(fired) {
    this.lastEventId = this.#id;
    if (this.#data.length > 0) {
      const data = this.#data.length === 1 ? this.#data[0] : this.#data.join("\n");
      fired.push({ type: this.#type || "message", data, id: this.#id, retry: this.#retryHere });
      this.#data = [];
    }
    this.#type = "";
    this.#retryHere = null;
  }
}
