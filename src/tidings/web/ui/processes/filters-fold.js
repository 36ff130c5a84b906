/** The conditions of a filter, as the query of the page's address holds them for the server. */
import { stamp } from "./span-fold.js";

/** @typedef {"variant" | "since" | "until" | "with" | "without" | "attribute"} Kind */
/** @typedef {{kind: Kind, value: string}} Condition */

const KINDS = ["variant", "since", "until", "with", "without", "attribute"];

/** Activities of a variant that are named. */
const NAMED = 3;

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

/** The conditions of a query. Other parameters are left out. @param {string} query @returns {Condition[]} */
export const conditionsOf = (query) =>
  [...new URLSearchParams(query)].flatMap(([kind, value]) =>
    KINDS.includes(kind) ? [{ kind: /** @type {Kind} */ (kind), value }] : [],
  );

/** The query of conditions. @param {readonly Condition[]} conditions */
export const queryOf = (conditions) => `${new URLSearchParams(conditions.map(({ kind, value }) => [kind, value]))}`;

/**
 * Conditions with further ones. A time takes the place of the one before it.
 * @param {readonly Condition[]} conditions
 * @param {readonly Condition[]} more
 */
export function joined(conditions, more) {
  const single = (/** @type {Condition} */ { kind }) => kind === "since" || kind === "until";
  const kept = conditions.filter(
    (one) => !more.some((other) => same(one, other) || (single(one) && one.kind === other.kind)),
  );
  return [...kept, ...more];
}

/** @param {Condition} one @param {Condition} other */
const same = (one, other) => one.kind === other.kind && one.value === other.value;

/** A condition in words. @param {Condition} condition @returns {string} */
export function inWords({ kind, value }) {
  if (kind === "with") return `With ${value}`;
  if (kind === "without") return `Without ${value}`;
  if (kind === "since") return `From ${timeInWords(value)}`;
  if (kind === "until") return `Until ${timeInWords(value)}`;
  if (kind === "variant") return `Variant ${traceInWords(value)}`;
  const at = value.indexOf("=");
  return at < 0 ? value : `${value.slice(0, at)} is ${value.slice(at + 1)}`;
}

/**
 * The conditions of a period of whole days, in the time of this place.
 * @param {string} first "2026-11-01", or empty
 * @param {string} last
 * @returns {Condition[]}
 */
export function period(first, last) {
  const end = last ? new Date(`${last}T00:00:00`) : null;
  end?.setDate(end.getDate() + 1);
  return [
    ...(first ? [{ kind: /** @type {Kind} */ ("since"), value: new Date(`${first}T00:00:00`).toISOString() }] : []),
    // The last microsecond of the day: events have times in microseconds.
    ...(end
      ? [{ kind: /** @type {Kind} */ ("until"), value: new Date(end.getTime() - 1).toISOString().replace("Z", "999Z") }]
      : []),
  ];
}

/** A time: a whole day where it is the beginning or the end of one, in the time of this place. @param {string} value */
function timeInWords(value) {
  const at = /T/.test(value) ? new Date(value.replace(/(\.\d{3})\d+/, "$1")) : null;
  if (!at || Number.isNaN(at.getTime())) return value;
  const isDay = [at, new Date(at.getTime() + 1)].some(
    (one) => one.getHours() + one.getMinutes() + one.getSeconds() + one.getMilliseconds() === 0,
  );
  return isDay ? day.format(at) : stamp(at.getTime() / 1000);
}

/** A variant by its first activities, and the number of the others. @param {string} value */
function traceInWords(value) {
  let trace;
  try {
    trace = JSON.parse(value);
  } catch {}
  if (!Array.isArray(trace)) return value;
  const rest = trace.length - NAMED;
  return [...trace.slice(0, NAMED), ...(rest > 0 ? [`${rest} more`] : [])].join(" \u2192 ");
}
