/**
 * Which items of a long log are drawn: a part of it, so that a page is as quick with many as with few. Pure.
 *
 * Items are counted from the first that was read when the log was opened: what comes in above it has negative numbers.
 */

/** @typedef {{from: number, to: number}} Part `from` is drawn, `to` is not; where it follows the end, that is Infinity */
/** @typedef {{start: number, end: number, screen: number}} Held what there is; `screen`: how many a screen shows */

/** Items that are drawn at most, but for a screen that shows many: what it shows stays drawn when the part moves. */
export const MOST = 200;

/** By how many a part moves. */
export const STEP = 50;

/** @param {Held} held */
const most = ({ screen }) => Math.max(MOST, 4 * screen);

/**
 * Where one comes to: the end, and the line above what is new, if that is held.
 * @param {Held} held
 * @param {number | null} [line] the item below the line
 * @returns {Part}
 */
export function first(held, line = null) {
  const from = Math.min(held.end - held.screen, (line ?? Infinity) - STEP / 2);
  return part(held, from, Math.min(held.end, from + most(held)));
}

/** Around an item. @param {Held} held @param {number} at @returns {Part} */
export const around = (held, at) => part(held, at - STEP, at + STEP);

/** @param {Part} drawn @param {Held} held @returns {Part} further up */
export function upwards(drawn, held) {
  const from = Math.max(held.start, drawn.from - STEP);
  return part(held, from, Math.min(drawn.to, held.end, from + most(held)));
}

/** @param {Part} drawn @param {Held} held @returns {Part} further down */
export function downwards(drawn, held) {
  const to = Math.min(held.end, drawn.to + STEP);
  return part(held, Math.max(drawn.from, to - most(held)), to);
}

/**
 * The same after more has come: what one looks at stays.
 * @param {Part} drawn
 * @param {Held} held
 * @param {boolean} away whether one looks at something above the end
 * @returns {Part}
 */
export function grown(drawn, held, away) {
  if (Math.min(drawn.to, held.end) - drawn.from <= most(held)) return drawn;
  // A few at a time: to let go of a hundred takes 60 ms, in which the message that came is not seen.
  return away
    ? part(held, drawn.from, drawn.from + most(held))
    : part(held, held.end - most(held) + STEP / 5, held.end);
}

/** @param {Held} held @param {number} from @param {number} to @returns {Part} */
const part = ({ start, end }, from, to) => ({ from: Math.max(start, from), to: to >= end ? Infinity : to });
