/** How offsets of one log stand to each other. Pure. */

/** @param {string} offset @returns {[string, number]} its epoch and its place */
function parts(offset) {
  const dash = offset.lastIndexOf("-");
  return [offset.slice(0, dash), Number(offset.slice(dash + 1))];
}

/**
 * Whether whoever has read up to `position` has read `offset`. Another life of the log was not read.
 * @param {string | null} position null: nothing was read
 * @param {string} offset
 */
export function isRead(position, offset) {
  if (!position) return false;
  const [life, read] = parts(position);
  const [epoch, n] = parts(offset);
  return epoch === life && n <= read;
}

/** The later of two positions; an offset of another life is the later one. @param {string | null} a @param {string} b */
export const later = (a, b) => (a !== null && isRead(a, b) ? a : b);

/** Events between two positions of one life; 0 where they cannot be counted. @param {string} from @param {string} to */
export function distance(from, to) {
  const [life, read] = parts(from);
  const [epoch, n] = parts(to);
  return epoch === life ? n - read : 0;
}
