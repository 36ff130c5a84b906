/** The division of the list of conversations by the day on which they began. Pure. */

/** @typedef {import("./list-fold.js").Item} Item */

/** The names of the divisions, each with the most days since then. @type {readonly [string, number][]} */
const AGES = [
  ["Today", 0],
  ["Yesterday", 1],
  ["Previous 7 days", 7],
  ["Previous 30 days", 30],
  ["Older", Infinity],
];

/**
 * The conversations to show, newest first, under the names of their days: the newest `most`, and the one that is open.
 * @param {readonly Item[]} items newest first
 * @param {{most: number, open: string | null, daysAgo: (time: number) => number}} view `daysAgo`: the number of midnights
 *   since a time
 * @returns {[string, Item[]][]}
 */
export function byDay(items, { most, open, daysAgo }) {
  /** @type {[string, Item[]][]} */
  const days = AGES.map(([name]) => [name, []]);
  const shown = items.filter(({ id }, at) => at < most || id === open);
  for (const item of shown) days[AGES.findIndex(([, age]) => daysAgo(item.created) <= age)][1].push(item);
  return days.filter(([, all]) => all.length > 0);
}
