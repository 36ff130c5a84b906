/** The part of a process's figures that a map draws. */

/**
 * @typedef {{activity: string, events: number, cases: number, open: number, oldest: number | null}} Activity
 * @typedef {{from: string, to: string, events: number, cases: number, mean: number, median: number, min: number,
 *   max: number, sum: number, exact: boolean}} Edge durations are in seconds
 * @typedef {{trace: string[], cases: number}} Variant
 */

/**
 * The figures of a process, as the server answers them.
 * @typedef {object} Figures
 * @property {string} topic
 * @property {string} offset
 * @property {number | null} first
 * @property {number | null} last
 * @property {number} events
 * @property {number} cases
 * @property {number} variants
 * @property {Activity[]} activities
 * @property {Edge[]} edges
 * @property {Record<string, number>} start
 * @property {Record<string, number>} end
 * @property {Variant[]} top_variants
 * @property {number} refused
 * @property {{activities: number, edges: number, cases: number, other: string}} folded
 * @property {{events: number, cases: number} | null} whole the counts of all cases, if a filter selects some
 */

/**
 * @typedef {object} Drawn the part that is drawn
 * @property {Activity[]} nodes
 * @property {Edge[]} edges the most frequent first
 * @property {number} least cases that an edge must have to be drawn
 * @property {number} most cases of the most frequent edge
 */

/** The most edges that a map draws when nobody has chosen a threshold, and the most that it ever draws. */
export const USUAL = 150;
export const MOST = 500;

/** The key of an edge. @param {string} from @param {string} to */
export const keyOf = (from, to) => `${from}\0${to}`;

/** Edges, the most frequent first. @param {readonly Edge[]} edges */
const ranked = (edges) => [...edges].sort((a, b) => b.cases - a.cases || b.events - a.events);

/**
 * The thresholds that can be chosen, the lowest first: the numbers of cases that edges have, as long as no more than
 * `MOST` edges have as many.
 * @param {readonly Edge[]} edges
 * @returns {number[]}
 */
export function thresholds(edges) {
  const order = ranked(edges);
  const lowest = lowestFor(order, MOST);
  return [...new Set(order.map(({ cases }) => cases))].filter((cases) => cases >= lowest).reverse();
}

/**
 * The lowest number of cases that no more than `most` edges have. Where too many edges share the highest, that one.
 * @param {readonly Edge[]} order
 * @param {number} most
 */
function lowestFor(order, most) {
  if (order.length <= most) return order.at(-1)?.cases ?? 1;
  const beyond = order[most].cases;
  return order.findLast(({ cases }) => cases > beyond)?.cases ?? beyond;
}

/**
 * The part of a map that is drawn.
 * @param {Pick<Figures, "activities" | "edges">} figures
 * @param {number | null} chosen the cases that an edge must have; null: as few as leave `USUAL` edges
 * @returns {Drawn}
 */
export function drawn({ activities, edges }, chosen) {
  const order = ranked(edges);
  const least = Math.max(chosen ?? 0, lowestFor(order, chosen === null ? USUAL : MOST));
  const kept = order.filter(({ cases }) => cases >= least).slice(0, chosen === null ? USUAL : MOST);
  const joined = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const needed = new Set(kept.flatMap(({ from, to }) => [from, to]));
  const alone = activities
    .filter(({ activity, cases }) => !joined.has(activity) && (edges.length === 0 || cases >= least))
    .sort((a, b) => b.cases - a.cases)
    .slice(0, USUAL);
  for (const { activity } of alone) needed.add(activity);
  const nodes = activities.filter(({ activity }) => needed.has(activity));
  return { nodes, edges: kept, least, most: order[0]?.cases ?? 1 };
}

/** The width of an edge's line, by the square root of its cases. @param {number} cases @param {number} most */
export const widthOf = (cases, most) => 1.5 + 4.5 * Math.sqrt(cases / Math.max(most, 1));

/**
 * The cases that have come to each activity since earlier figures.
 * @param {Figures} before
 * @param {Figures} after
 * @returns {Map<string, number>} without activities to which none has come
 */
export function arrivals(before, after) {
  const had = new Map(before.activities.map(({ activity, cases }) => [activity, cases]));
  const come = after.activities.map(
    ({ activity, cases }) => /** @type {const} */ ([activity, cases - (had.get(activity) ?? 0)]),
  );
  return new Map(come.filter(([, cases]) => cases > 0));
}

/**
 * The edges that cases have taken since earlier figures, those that most have taken first.
 * @param {Figures} before
 * @param {Figures} after
 * @returns {string[]} their keys
 */
export function taken(before, after) {
  const had = new Map(before.edges.map(({ from, to, events }) => [keyOf(from, to), events]));
  return after.edges
    .map(({ from, to, events }) => ({ key: keyOf(from, to), more: events - (had.get(keyOf(from, to)) ?? 0) }))
    .filter(({ more }) => more > 0)
    .sort((a, b) => b.more - a.more)
    .map(({ key }) => key);
}

/** The activities and edges on the path of a variant, by name and by key. @param {readonly string[]} trace */
export const onPath = (trace) =>
  new Set([...trace, ...trace.slice(1).map((activity, at) => keyOf(trace[at], activity))]);

/**
 * The activities and edges that belong to one of them: an edge with its two activities, an activity with its edges and
 * their other activities.
 * @param {string} at an activity's name or an edge's key
 * @param {readonly Edge[]} edges
 */
export function around(at, edges) {
  const near = edges.filter(({ from, to }) => from === at || to === at || keyOf(from, to) === at);
  return new Set([at, ...near.flatMap(({ from, to }) => [from, to, keyOf(from, to)])]);
}

/** Words for a part of a whole: "0.9 %", "100 %", "under 0.1 %". @param {number} part @param {number} whole */
export function share(part, whole) {
  const percent = whole > 0 ? (100 * part) / whole : 0;
  if (part > 0 && percent < 0.1) return "under 0.1\u00a0%";
  if (part < whole && percent > 99.9) return "over 99.9\u00a0%";
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)}\u00a0%`;
}
