/** The order of the offsets of one log. Pure. */

/** @param {string} offset @returns {[string, number]} its epoch and its number */
function parts(offset) {
  const dash = offset.lastIndexOf("-");
  return [offset.slice(0, dash), Number(offset.slice(dash + 1))];
}

/**
 * Check if a reader at `position` has read `offset`. Offsets of another epoch count as not read.
 * @param {string | null} position null when nothing was read
 * @param {string} offset
 */
export function isRead(position, offset) {
  if (!position) return false;
  const [readEpoch, read] = parts(position);
  const [epoch, n] = parts(offset);
  return epoch === readEpoch && n <= read;
}

/** The later of two positions. An offset of another epoch counts as later. @param {string | null} a @param {string} b */
export const later = (a, b) => (a !== null && isRead(a, b) ? a : b);

/** The number of events between two positions of one epoch; 0 for two epochs. @param {string} from @param {string} to */
export function distance(from, to) {
  const [readEpoch, read] = parts(from);
  const [epoch, n] = parts(to);
  return epoch === readEpoch ? n - read : 0;
}
