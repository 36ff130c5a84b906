/** A series in columns of time: the history that the server has answered, and the live events after it. */
import { ADDED, add, bucket, extremes, valueOf } from "./bucket-fold.js";

/** @typedef {import("./bucket-fold.js").Bucket} Bucket */

/**
 * @typedef {object} Spec the subject of a series
 * @property {string} topic
 * @property {string} field the path of the value in the data; "" for the events themselves
 * @property {import("./bucket-fold.js").Aggregation} agg
 * @property {string} by the path of the group's name in the data; "" for one line
 */

/**
 * @typedef {object} Answer the answer of `GET /series`
 * @property {number} from
 * @property {number} to
 * @property {number} step
 * @property {string} offset
 * @property {{group: string, values: (number | null)[], low: (number | null)[] | null, high: (number | null)[] | null, open: Partial<Bucket> | null}[]} lines
 * @property {[number, number][]} gaps
 * @property {string[]} notes
 */

/**
 * @typedef {object} Line
 * @property {string} group
 * @property {(number | null)[]} values one for each column
 * @property {(number | null)[]} low the least value of each column that hides some
 * @property {(number | null)[]} high
 * @property {Map<number, Bucket>} open the buckets of the last columns, by their place, which events are added to
 */

/** Groups of a series: the server draws no more either. */
export const GROUPS = 20;

/** Columns that events are still added to, since an event may come a moment after its second. */
const OPEN = 3;

/** Seconds after which a column without events has passed. An event is on its way for less. */
const GRACE = 0.5;

/** A silence of so many usual intervals is a gap, and of so many seconds at least. */
const MISSED = 5;
const SILENCE = 10;

/** Characters of a group's name, and the greatest magnitude of a value: the limits of the server. */
const LONGEST_GROUP = 100;
const GREATEST = 1e150;

/** Intervals between live events of which the usual one is the mean. */
const INTERVALS = 30;

/** The value at a path in the data of an event. @param {any} data @param {readonly string[]} path @returns {any} */
export function at(data, path) {
  for (const name of path) {
    if (data === null || typeof data !== "object" || Array.isArray(data) || !Object.hasOwn(data, name))
      return undefined;
    data = data[name];
  }
  return data;
}

/** The name of a group. Events whose field is absent, or no text, number or truth value, have none. @param {any} value */
const groupOf = (value) =>
  ["string", "number", "boolean"].includes(typeof value) ? String(value).slice(0, LONGEST_GROUP) : "";

/** The columns of a series. `take` adds events, and `pass` lets time go by. Both change the columns in place. */
export class Columns {
  /** The start of the first column, in Unix seconds. */
  from = 0;
  step = 1;
  /** @type {Line[]} */
  lines = [];
  /** Spans of time in which events were missing. @type {[number, number][]} */
  gaps = [];
  /** The time of the last event; 0 before any. */
  newest = 0;
  /** Values that were no number, and events of groups beyond the limit, since the answer. */
  bad = 0;
  beyond = 0;

  /** @type {Spec} */
  #spec;
  #span;
  /** @type {readonly string[]} */
  #field;
  /** @type {readonly string[]} */
  #by;
  #count = 0;
  /** The time of the last live event: an earlier one after it counts at that time, as on the server. */
  #latest = 0;
  /** @type {number[]} */
  #intervals = [];
  /** The usual interval, as the columns of the answer tell it. */
  #usual = Infinity;

  /**
   * @param {Spec} spec
   * @param {Answer} answer
   * @param {number} span the seconds that are kept
   * @param {number} now
   */
  constructor(spec, answer, span, now) {
    this.#spec = spec;
    this.#span = span;
    this.#field = spec.field ? spec.field.split(".") : [];
    this.#by = spec.by ? spec.by.split(".") : [];
    [this.from, this.step, this.gaps] = [answer.from, answer.step, structuredClone(answer.gaps)];
    this.#count = Math.round((answer.to - answer.from) / answer.step);
    const none = () => Array(this.#count).fill(null);
    for (const { group, values, low, high, open } of answer.lines) {
      const line = { group, values: [...values], low: low ? [...low] : none(), high: high ? [...high] : none() };
      this.lines.push({ ...line, open: open ? new Map([[this.#count - 1, bucket(open)]]) : new Map() });
    }
    this.#look(now);
  }

  /** Find in the answer when the last event came, and how often one usually comes. @param {number} now */
  #look(now) {
    const added = ADDED.includes(this.#spec.agg);
    const filled = (/** @type {number} */ n) =>
      this.lines.some(({ values, open }) => open.has(n) || (added ? (values[n] ?? 0) !== 0 : values[n] !== null));
    const all = Array.from({ length: this.#count }, (_, n) => n).filter(filled);
    const gap = this.gaps.at(-1);
    // An answer may be as old as its last column is wide.
    const isOpen =
      gap && (gap[1] >= Math.min(now, this.to) - 1 || (gap[1] >= this.to - this.step - 1 && !filled(this.#count - 1)));
    if (isOpen) this.newest = gap[0];
    const last = all.at(-1);
    if (last === undefined) return;
    const silent = this.gaps.reduce((sum, [a, b]) => sum + b - a, 0);
    const first = this.from + all[0] * this.step;
    if (all.length > 1) this.#usual = Math.max(this.step, Math.min(now, this.to) - first - silent) / all.length;
    if (!isOpen) this.newest = Math.min(now, this.from + (last + 1) * this.step);
  }

  /** The end of the last column. */
  get to() {
    return this.from + this.#count * this.step;
  }

  get count() {
    return this.#count;
  }

  /** The usual seconds between two events; Infinity while that is unknown. */
  get usual() {
    const live = this.#intervals;
    if (live.length < 5) return this.#usual;
    return live.reduce((sum, one) => sum + one, 0) / live.length;
  }

  /** The seconds without an event after which the series is stale. */
  get patience() {
    return Number.isFinite(this.usual) ? Math.max(SILENCE, MISSED * this.usual) : SILENCE;
  }

  /** Add events of the topic, in the order of the log. @param {readonly {offset: string | null, time: number, data: any}[]} events */
  take(events) {
    for (const { offset, time, data } of events) if (offset !== null) this.#add(time, data);
    this.#trim();
  }

  /** @param {number} stamped @param {any} data */
  #add(stamped, data) {
    const { field, by } = this.#spec;
    const time = (this.#latest = Math.max(stamped, this.#latest));
    this.#note(time);
    const line = this.#line(by ? groupOf(at(data, this.#by)) : "");
    if (!line) return;
    const found = field ? (at(data, this.#field) ?? null) : null;
    const value = typeof found === "number" && Math.abs(found) < GREATEST ? found : null;
    if (found !== null && value === null) this.bad += 1;
    const n = Math.max(Math.floor((time - this.from) / this.step), this.#count - OPEN);
    this.#extend(n + 1);
    let into = line.open.get(n);
    if (!into) line.open.set(n, (into = bucket()));
    add(into, time, value);
    this.#draw(line, n, into);
  }

  /** Note the time of an event, and a gap before it. @param {number} time */
  #note(time) {
    const interval = time - this.newest;
    if (this.newest && interval > this.patience) this.#gap(this.newest, time);
    else if (this.newest && interval >= 0) this.#intervals = [...this.#intervals, interval].slice(-INTERVALS);
    this.newest = Math.max(this.newest, time);
  }

  /** @param {number} from @param {number} to */
  #gap(from, to) {
    const last = this.gaps.at(-1);
    if (last && last[0] === from) last[1] = Math.max(last[1], to);
    else this.gaps.push([from, to]);
  }

  /** @param {string} group @returns {Line | undefined} undefined: there are too many groups */
  #line(group) {
    const found = this.lines.find((line) => line.group === group);
    if (found) return found;
    if (this.lines.length >= GROUPS) {
      this.beyond += 1;
      return undefined;
    }
    const none = () => Array(this.#count).fill(null);
    const line = { group, values: none(), low: none(), high: none(), open: new Map() };
    this.lines.push(line);
    return line;
  }

  /** @param {Line} line @param {number} n @param {Bucket} from */
  #draw(line, n, from) {
    const { agg, field } = this.#spec;
    // Added up, a column that has not passed says too little. The line ends before it.
    const known = !ADDED.includes(agg) || n < this.#count - 1;
    line.values[n] = known ? valueOf(from, agg, this.step, field !== "") : null;
    const hidden = known ? extremes(from, agg, field !== "") : null;
    [line.low[n], line.high[n]] = hidden && hidden[0] !== hidden[1] ? hidden : [null, null];
  }

  /** Begin columns. @param {number} count */
  #extend(count) {
    if (count <= this.#count) return;
    const before = this.#count;
    this.#count = count;
    const { agg, field } = this.#spec;
    for (const line of this.lines) {
      for (const values of [line.values, line.low, line.high]) while (values.length < count) values.push(null);
      if (!ADDED.includes(agg)) continue;
      for (let n = before - 1; n < count - 1; n += 1) {
        const open = line.open.get(n);
        if (open) this.#draw(line, n, open);
        else if (line.values[n] === null && !this.#isGap(n)) line.values[n] = valueOf(bucket(), agg, 1, field !== "");
      }
    }
  }

  /** Check if a column is in a gap. @param {number} n */
  #isGap(n) {
    const [start, end] = [this.from + n * this.step, this.from + (n + 1) * this.step];
    return this.gaps.some(([a, b]) => a < end && start < b);
  }

  /** Drop what has left the chart. */
  #trim() {
    for (const line of this.lines) for (const n of line.open.keys()) if (n < this.#count - OPEN) line.open.delete(n);
    const gone = this.#count - Math.ceil(this.#span / this.step) - 2;
    if (gone < 64 && gone < this.#count / 8) return; // not with each column
    this.from += gone * this.step;
    this.#count -= gone;
    for (const line of this.lines) {
      for (const values of [line.values, line.low, line.high]) values.splice(0, gone);
      line.open = new Map([...line.open].map(([n, open]) => [n - gone, open]));
    }
    this.gaps = this.gaps.filter(([, b]) => b > this.from);
  }

  /** Let time go by: columns pass, and a silence becomes a gap. @param {number} now */
  pass(now) {
    const silent = this.newest > 0 && now - this.newest > this.patience;
    if (silent) this.#gap(this.newest, now);
    const due = Math.floor((now - GRACE - this.from) / this.step) + 1;
    this.#extend(due);
    if (silent && ADDED.includes(this.#spec.agg)) {
      const first = Math.max(0, Math.ceil((this.newest - this.from) / this.step));
      for (const { values, open } of this.lines)
        for (let n = first; n < this.#count; n += 1) if (!open.has(n)) values[n] = null;
    }
    this.#trim();
  }
}
