/** The position before the first event of a topic. */
export const ORIGIN = "0-0";

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
export function order(position, offset) {
  const [life, read] = parts(position);
  const [epoch, n] = parts(offset);
  if (offset === ORIGIN) return "old";
  if (position !== ORIGIN && epoch !== life) return "gap";
  return n <= read ? "old" : n === read + 1 ? "next" : "gap";
}

/**
 * Decide for a reader at `position` if a reset lost any of its events. A reader that is past the lost events has
 * missed nothing. A log that went back within its epoch, as after a restored backup, concerns every reader.
 * @param {string} position
 * @param {import("./connection.js").ReceivedEvent} reset
 */
export function concerns(position, { at = "", was = "", data }) {
  const back = data.reason !== "trimmed" && epochOf(at) === epochOf(was);
  return back || (position !== at && (epochOf(position) !== epochOf(at) || order(position, at) !== "old"));
}

/**
 * The position after which a reader begins.
 * @param {{epoch: string, earliest: string, tail: string}} topic the answer of `GET /topics/TOPIC`
 * @param {string | number} after "earliest", "tail", or -N for the last N events
 * @returns {string} an offset
 */
export function startOf({ epoch, earliest, tail }, after) {
  const [first, last] = [parts(earliest)[1], parts(tail)[1]];
  const n = after === "earliest" ? first - 1 : after === "tail" ? last : Math.max(first - 1, last + Number(after));
  return `${epoch}-${n}`;
}

/** @param {string} offset @returns {string} */
const epochOf = (offset) => parts(offset)[0];

/** @param {string} offset @returns {[string, number]} its epoch and its number */
function parts(offset) {
  const dash = offset.lastIndexOf("-");
  return [offset.slice(0, dash), Number(offset.slice(dash + 1))];
}
