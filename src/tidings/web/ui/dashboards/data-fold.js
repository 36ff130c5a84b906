/** The data of a card, made of the columns of its series: lines over one row of times, and the figures above them. */
import { ADDED, valueOf } from "./bucket-fold.js";

/** @typedef {import("./series-fold.js").Columns} Columns */
/** @typedef {import("./series-fold.js").Spec} Spec */

/**
 * @typedef {object} Source a series of a card
 * @property {Spec} spec
 * @property {string} label
 * @property {Columns} columns
 */

/**
 * @typedef {object} Drawn a line of a card
 * @property {string} name
 * @property {(number | null | undefined)[]} values null: a gap; undefined: nothing is known here, and the line goes on
 * @property {(number | null)[] | null} low null: no point hides another
 * @property {(number | null)[] | null} high
 * @property {number | null} figure the value above the chart
 */

/**
 * @typedef {object} Data
 * @property {number[]} times the start of each column, in Unix seconds
 * @property {number} step
 * @property {Drawn[]} lines
 * @property {[number, number][]} gaps spans of time without events, of all series together
 */

/** Lines of a card that are drawn. More could not be told apart. */
export const MOST_LINES = 20;

/** The last word of a path, for a line without a name. @param {Spec} spec */
export const nameOf = ({ topic, field, agg }) => `${field || topic} ${agg}`;

/** The value that stands for a line: the last one that is known, or the sum of what is counted. @param {readonly (number | null | undefined)[]} values @param {string} agg @returns {number | null} */
export function figureOf(values, agg) {
  if (agg !== "count" && agg !== "sum") return values.findLast((value) => typeof value === "number") ?? null;
  const known = values.filter((value) => typeof value === "number");
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : null;
}

/**
 * The data of a card between two times. Its series have columns of one width, which may begin at other times.
 * @param {readonly Source[]} sources
 * @param {number} from
 * @param {number} to
 * @returns {Data}
 */
export function dataOf(sources, from, to) {
  const step = Math.max(1, ...sources.map(({ columns }) => columns.step));
  const start = Math.floor(from / step) * step;
  const count = Math.max(1, Math.min(4000, Math.ceil((to - start) / step)));
  const times = Array.from({ length: count }, (_, n) => start + n * step);
  const lines = sources.flatMap((source) => linesOf(source, times, step, sources.length > 1));
  return { times, step, lines: lines.slice(0, MOST_LINES), gaps: shared(sources, from, to) };
}

/** @param {Source} source @param {readonly number[]} times @param {number} step @param {boolean} several @returns {Drawn[]} */
function linesOf({ spec, label, columns }, times, step, several) {
  if (columns.step !== step) return [];
  const first = Math.round((times[0] - columns.from) / step);
  const added = ADDED.includes(spec.agg);
  const gap = times.map((time) => columns.gaps.some(([a, b]) => a < time + step && time < b));
  const part = (/** @type {(number | null)[]} */ values) => times.map((_, n) => values[first + n] ?? null);
  return columns.lines.map(({ group, values, low, high, open }) => {
    const shown = part(values);
    const isLast = times[times.length - 1] >= columns.to - step;
    const present = isLast && values.at(-1) === null ? open.get(columns.count - 1) : undefined;
    const [lows, highs] = [part(low), part(high)];
    const hides = lows.some((value) => value !== null);
    return {
      name: group ? (several && label ? `${label} ${group}` : group) : label || nameOf(spec),
      values: shown.map((value, n) => value ?? (gap[n] || added ? null : undefined)),
      low: hides ? lows : null,
      high: hides ? highs : null,
      figure: figureOf(present ? [...shown, valueOf(present, spec.agg, step, spec.field !== "")] : shown, spec.agg),
    };
  });
}

/** The spans of time in which all series have a gap. @param {readonly Source[]} sources @param {number} from @param {number} to @returns {[number, number][]} */
function shared(sources, from, to) {
  let found = /** @type {[number, number][]} */ ([[from, to]]);
  for (const { columns } of sources)
    found = found.flatMap(([a, b]) =>
      columns.gaps
        .map(([c, d]) => /** @type {[number, number]} */ ([Math.max(a, c), Math.min(b, d)]))
        .filter(([c, d]) => c < d),
    );
  return sources.length > 0 ? found : [];
}

/** Lines on top of each other, for bars: each begins at the end of the one before. @param {readonly Drawn[]} lines @param {readonly boolean[]} hidden @returns {(number | null)[][]} */
export function stacked(lines, hidden) {
  /** @type {number[]} */
  const sums = [];
  return lines.map(({ values }, line) =>
    values.map((value, n) => {
      if (hidden[line] || typeof value !== "number") return null;
      sums[n] = (sums[n] ?? 0) + value;
      return sums[n];
    }),
  );
}

/**
 * The ends of the axis of values.
 * @param {number | null} low of what is drawn
 * @param {number | null} high
 * @param {{min?: number | null, max?: number | null, thresholds?: readonly number[]}} card
 * @returns {[number, number]}
 */
export function axisOf(low, high, { min, max, thresholds = [] }) {
  const values = [low, high, ...thresholds].map((value) => value ?? NaN).filter(Number.isFinite);
  let [bottom, top] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  if (bottom > 0 && bottom < top * 0.75) bottom = 0; // figures of one size keep their own axis
  if (bottom === top) [bottom, top] = bottom === 0 ? [0, 1] : [Math.min(0, bottom), Math.max(0, top)];
  const [least, most] = [min ?? bottom - (bottom < 0 ? (top - bottom) * 0.05 : 0), max ?? top + (top - bottom) * 0.08];
  return least < most ? [least, most] : [least, least + 1];
}

/** A sentence that says what a chart shows, for those who do not see it. @param {string} title @param {Data} data @param {(value: number | null) => string} write */
export function summary(title, { lines }, write) {
  const parts = lines.slice(0, 5).map(({ name, values, low, high, figure }) => {
    const known = [...values, ...(low ?? []), ...(high ?? [])].filter((value) => typeof value === "number");
    if (known.length === 0) return `${name}: no value`;
    const [least, most] = known.reduce(
      ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
      [known[0], known[0]],
    );
    return `${name}: ${write(figure)}, between ${write(least)} and ${write(most)}`;
  });
  return [title, ...parts].join(". ");
}
