/** Alerts in words: conditions, states and what happened. Pure. */
import { written } from "../dashboards/figures-fold.js";

/** @typedef {"normal" | "pending" | "firing" | "recovering" | "no_data" | "broken"} Condition */
/** @typedef {import("./rule-fold.js").Rule} Rule */

/** The states, each with its word and its tone. @type {Record<Condition | "paused", [word: string, tone: string]>} */
export const STATES = {
  firing: ["Firing", "red"],
  recovering: ["Recovering", "amber"],
  pending: ["Pending", "amber"],
  no_data: ["No data", "amber"],
  broken: ["No numbers", "amber"],
  normal: ["Normal", ""],
  paused: ["Paused", ""],
};

/** The aggregations of a window, with their names. @type {readonly [string, string][]} */
export const AGGREGATIONS = [
  ["mean", "Mean"],
  ["min", "Least"],
  ["max", "Greatest"],
  ["sum", "Sum"],
  ["count", "Count"],
  ["rate", "Rate per second"],
  ["p50", "Median"],
  ["p99", "99th percentile"],
  ["last", "Last"],
];

/** Units of a time, the longest first. @type {readonly [number, string][]} */
const UNITS = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
];

/** A time in its largest whole unit: "90 s", "5 min". @param {number} seconds */
export function span(seconds) {
  const [factor, unit] = UNITS.find(([factor]) => seconds >= factor && seconds % factor === 0) ?? [1, "s"];
  return `${Number((seconds / factor).toFixed(3))}\u00a0${unit}`;
}

/** The condition of a rule, as a clause: "load above 90 for 1 min". @param {Rule} rule */
export function conditionOf(rule) {
  const over = rule.window ? ` over ${span(rule.window)}` : "";
  const lasting = rule.for ? ` for ${span(rule.for)}` : "";
  const limit = `${rule.above === undefined ? "below" : "above"} ${written(rule.above ?? rule.below, "")}`;
  const each = rule.by && rule.kind !== "deviation" ? `, for each ${rule.by}` : "";
  if (rule.kind === "absence") return `no event for ${span(rule.absent ?? 0)}${each}`;
  if (rule.kind === "rate") return `events per second ${limit}${over}${lasting}${each}`;
  if (rule.kind === "deviation") return `cases that deviate ${limit}${over}${lasting}`;
  const agg = rule.agg ?? "last";
  const name = agg === "last" ? "" : `${(AGGREGATIONS.find(([one]) => one === agg)?.[1] ?? agg).toLowerCase()} of `;
  return `${name}${rule.field ?? "the data"} ${limit}${over}${lasting}${each}`;
}

/** The name of a rule. @param {Rule} rule */
export const titleOf = ({ title, topic }) => title || topic;

/** A state as a word, for the middle of a sentence. @param {string} state */
const word = (state) =>
  (Object.hasOwn(STATES, state) ? STATES[/** @type {Condition} */ (state)][0] : state).toLowerCase();

const NOTICES = {
  fired: "Told: firing",
  again: "Told again: still firing",
  resolved: "Told: over",
  no_data: "Told: no data",
  broken: "Told: no numbers",
};

/**
 * An entry of a rule's history in words.
 * @param {{type: string, fact: any}} entry
 * @returns {{what: string, about: string}}
 */
export function entryOf({ type, fact }) {
  const of = fact.instance ? `${fact.instance}: ` : "";
  const by = fact.by ? `by ${fact.by}` : "";
  switch (type) {
    case "alert.changed": {
      const value = typeof fact.value === "number" ? `${written(fact.value, "")}` : "";
      const limit = value && typeof fact.limit === "number" ? `, limit ${written(fact.limit, "")}` : "";
      return { what: `${of}${word(fact.was)} to ${word(fact.state)}`, about: fact.reason ?? value + limit };
    }
    case "alert.notice": {
      const names = (fact.instances ?? []).map((/** @type {any} */ one) => one.instance).filter(Boolean);
      const more = fact.more ? ` and ${fact.more} more` : "";
      return {
        what: NOTICES[/** @type {keyof typeof NOTICES} */ (fact.kind)] ?? "Told",
        about: names.join(", ") + more,
      };
    }
    case "alert.acknowledged":
      return { what: "Acknowledged", about: [by, fact.note].filter(Boolean).join(": ") };
    case "rule.saved":
      return { what: fact.rule?.paused ? "Rule saved, paused" : "Rule saved", about: by };
    default:
      return { what: type, about: by };
  }
}

/** Say a preview in a sentence. @param {{fired: number, events: number, bad: number, complete: boolean}} preview */
export function previewed({ fired, events, bad, complete }) {
  if (events === 0) return "The topic had no event in the last 24 hours.";
  const often = fired === 0 ? "not at all" : fired === 1 ? "once" : `${fired} times`;
  const judged = complete ? "In the last 24 hours" : "In the last 100,000 events";
  const wrong = bad > 0 ? ` ${bad} of ${events} events had no number.` : "";
  return `${judged} it would have fired ${often}.${wrong}`;
}
