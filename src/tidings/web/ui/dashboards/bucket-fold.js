/**
 * The values of one line in one column of a chart. The server makes its columns in the same way: `apps/series/bucket.py`.
 *
 * @typedef {object} Bucket
 * @property {number} events
 * @property {number} n the events that had a value
 * @property {number} sum
 * @property {number} low
 * @property {number} high
 * @property {number} last
 * @property {Second | null} second the last second
 * @property {[number, number] | null} extremes the least and the greatest of the seconds before
 * @property {Map<number, number>} classes a histogram of the values, for quantiles
 */

/** @typedef {{at: number, events: number, sum: number}} Second */

/** @typedef {"rate" | "count" | "sum" | "mean" | "min" | "max" | "last" | "p50" | "p99"} Aggregation */

/** The classes of a histogram are 2 % wide, so that a quantile is right to 1 %. */
const WIDTH = Math.log(1.02);

/** The least and the greatest magnitude that quantiles tell apart. */
const [SMALLEST, LARGEST] = [1e-9, 1e12];

/** The class of the value 1, so that classes of positive values have positive numbers. */
const MIDDLE = 20_000;

/** The aggregations that are 0, and not unknown, in a column without events. */
export const ADDED = /** @type {readonly string[]} */ (["rate", "count", "sum"]);

/** @param {Partial<Bucket>} [known] what a server's answer says of a column @returns {Bucket} */
export const bucket = (known = {}) => ({
  events: 0,
  n: 0,
  sum: 0,
  low: 0,
  high: 0,
  last: 0,
  second: null,
  extremes: null,
  classes: new Map(),
  ...known,
});

/**
 * Add an event to a bucket, which is changed.
 * @param {Bucket} to
 * @param {number} time of the event
 * @param {number | null} value null: the event counts, but has no value
 */
export function add(to, time, value) {
  const at = Math.floor(time);
  if (to.second?.at !== at) {
    to.extremes = extremesOf(to);
    to.second = { at, events: 0, sum: 0 };
  }
  to.events += 1;
  to.second.events += 1;
  if (value === null) return;
  to.low = to.n > 0 ? Math.min(to.low, value) : value;
  to.high = to.n > 0 ? Math.max(to.high, value) : value;
  to.n += 1;
  to.sum += value;
  to.last = value;
  to.second.sum += value;
  const number = classOf(value);
  to.classes.set(number, (to.classes.get(number) ?? 0) + 1);
}

/** The least and the greatest number of events in one second. @param {Bucket} of @returns {[number, number] | null} */
function extremesOf({ second, extremes }) {
  if (!second) return extremes;
  const [low, high] = extremes ?? [second.events, second.events];
  return [Math.min(low, second.events), Math.max(high, second.events)];
}

/**
 * The value of a bucket.
 * @param {Bucket} of
 * @param {Aggregation} aggregation
 * @param {number} width of the column, in seconds
 * @param {boolean} valued a field is aggregated, and not the events themselves
 * @returns {number | null} null: unknown
 */
export function valueOf(of, aggregation, width, valued) {
  if (aggregation === "rate") return (valued ? of.sum : of.events) / width;
  if (aggregation === "count") return valued ? of.n : of.events;
  if (aggregation === "sum") return of.sum;
  if (of.n === 0) return null;
  if (aggregation === "mean") return of.sum / of.n;
  if (aggregation === "min") return of.low;
  if (aggregation === "max") return of.high;
  if (aggregation === "last") return of.last;
  return of.classes.size > 0 ? quantile(of.classes, aggregation === "p50" ? 0.5 : 0.99) : null;
}

/**
 * The least and the greatest value that one point of a column hides.
 * @param {Bucket} of
 * @param {Aggregation} aggregation
 * @param {boolean} valued
 * @returns {[number, number] | null}
 */
export function extremes(of, aggregation, valued) {
  if (aggregation === "rate") return valued ? null : extremesOf(of);
  return ADDED.includes(aggregation) || of.n === 0 ? null : [of.low, of.high];
}

/** @param {number} value */
function classOf(value) {
  const size = Math.abs(value);
  if (size < SMALLEST) return 0;
  const number = Math.floor(Math.log(Math.min(size, LARGEST)) / WIDTH) + MIDDLE;
  return value > 0 ? number : -number;
}

/** The value that a share of the values does not exceed, to 1 %. @param {Map<number, number>} classes @param {number} share */
function quantile(classes, share) {
  const counts = [...classes].sort(([a], [b]) => a - b);
  const rank = share * (counts.reduce((sum, [, count]) => sum + count, 0) - 1);
  let seen = 0;
  const [number] = counts.find(([, count]) => (seen += count) > rank) ?? counts[counts.length - 1];
  if (number === 0) return 0;
  return Math.sign(number) * Math.exp((Math.abs(number) - MIDDLE + 0.5) * WIDTH);
}
