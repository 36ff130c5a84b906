/**
 * The range of a long log's items that is drawn, so that a page with many items is as fast as one with few. Pure.
 *
 * Item 0 is the first item that was read when the log was opened; earlier ones that are read later have negative numbers.
 */

/** @typedef {{from: number, to: number}} Range `from` is drawn, `to` is not. A range that follows the end has Infinity */
/** @typedef {{start: number, end: number, screen: number}} Log the items that were read; a screen shows `screen` items */

/** The most items that are drawn. Large screens get more, so that the shown items stay drawn when the range moves. */
export const MOST = 200;

/** The number of items by which a range moves. */
export const STEP = 50;

/** @param {Log} log */
const most = ({ screen }) => Math.max(MOST, 4 * screen);

/**
 * The range at arrival: the end of the log, and the first new item if it was read.
 * @param {Log} log
 * @param {number | null} [line] the first new item
 * @returns {Range}
 */
export function first(log, line = null) {
  const from = Math.min(log.end - log.screen, (line ?? Infinity) - STEP / 2);
  return range(log, from, Math.min(log.end, from + most(log)));
}

/** The range around an item. @param {Log} log @param {number} at @returns {Range} */
export const around = (log, at) => range(log, at - STEP, at + STEP);

/** @param {Range} drawn @param {Log} log @returns {Range} the range, moved up */
export function upwards(drawn, log) {
  const from = Math.max(log.start, drawn.from - STEP);
  return range(log, from, Math.min(drawn.to, log.end, from + most(log)));
}

/** @param {Range} drawn @param {Log} log @returns {Range} the range, moved down */
export function downwards(drawn, log) {
  const to = Math.min(log.end, drawn.to + STEP);
  return range(log, Math.max(drawn.from, to - most(log)), to);
}

/**
 * The range after new items. The items that the reader looks at stay in it.
 * @param {Range} drawn
 * @param {Log} log
 * @param {boolean} away the reader looks at items above the end
 * @returns {Range}
 */
export function afterGrowth(drawn, log, away) {
  if (Math.min(drawn.to, log.end) - drawn.from <= most(log)) return drawn;
  // Trim 10 at a time: removing 100 blocks the frame for 60 ms and delays the new message.
  return away ? range(log, drawn.from, drawn.from + most(log)) : range(log, log.end - most(log) + STEP / 5, log.end);
}

/** @param {Log} log @param {number} from @param {number} to @returns {Range} */
const range = ({ start, end }, from, to) => ({ from: Math.max(start, from), to: to >= end ? Infinity : to });
