/** Before the first event of a log, whichever life of it comes first. */
export const ORIGIN = "0-0";

/**
 * How an event stands to a reader that has read up to `position`: "next" is the one that must come now, "old" was read
 * already, and at a "gap" something lies between the two.
 *
 * Offsets are dense: within an epoch, which is one life of a log, each is one more than the offset before.
 *
 * @param {string} position
 * @param {string} offset
 * @returns {"next" | "old" | "gap"}
 */
export function standing(position, offset) {
  const [life, read] = parts(position);
  const [epoch, n] = parts(offset);
  if (offset === ORIGIN) return "old";
  if (position !== ORIGIN && epoch !== life) return "gap";
  return n <= read ? "old" : n === read + 1 ? "next" : "gap";
}

/**
 * Whether a reader at `position` is told of a reset: not when it is past what is gone. A log that went back within
 * its epoch, as from a backup, is news for everybody.
 * @param {string} position
 * @param {import("./connection.js").Received} reset
 */
export function concerns(position, { at = "", was = "", data }) {
  const back = data.reason !== "trimmed" && epochOf(at) === epochOf(was);
  return back || (position !== at && (epochOf(position) !== epochOf(at) || standing(position, at) !== "old"));
}

/** @param {string} offset @returns {string} */
const epochOf = (offset) => parts(offset)[0];

/** @param {string} offset @returns {[string, number]} */
function parts(offset) {
  const dash = offset.lastIndexOf("-");
  return [offset.slice(0, dash), Number(offset.slice(dash + 1))];
}
