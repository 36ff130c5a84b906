/** An alert rule, and the texts of its form. Pure: the server checks the rule. */

/**
 * @typedef {object} Rule as its JSON says it, with times in seconds
 * @property {string} topic
 * @property {string} [title]
 * @property {string | null} [field]
 * @property {string | null} [by]
 * @property {"threshold" | "rate" | "absence" | "deviation"} [kind]
 * @property {number} [above]
 * @property {number} [below]
 * @property {number} [clear]
 * @property {number} [for]
 * @property {number} [keep]
 * @property {number} [window]
 * @property {string} [agg]
 * @property {number} [no_data]
 * @property {"keep" | "notify" | "ok"} [on_no_data]
 * @property {number} [absent]
 * @property {number} [repeat]
 * @property {string[] | null} [people]
 * @property {string[]} [webhooks]
 * @property {string} [link]
 * @property {boolean} [paused]
 */

/** @typedef {Record<"title" | "topic" | "field" | "by" | "kind" | "side" | "limit" | "clear" | "for" | "keep" | "window" | "agg" | "no_data" | "on_no_data" | "absent" | "repeat" | "people" | "link", string>} Form */

/** The kinds of rules, with their names. */
export const KINDS = /** @type {const} */ ([
  ["threshold", "A value passes a limit"],
  ["rate", "Too many or too few events"],
  ["absence", "No event comes"],
  ["deviation", "Cases of a process deviate"],
]);

/** The form of a new rule. @type {Form} */
export const EMPTY = {
  title: "",
  topic: "",
  field: "",
  by: "",
  kind: "threshold",
  side: "above",
  limit: "",
  clear: "",
  for: "",
  keep: "",
  window: "",
  agg: "last",
  no_data: "",
  on_no_data: "keep",
  absent: "",
  repeat: "",
  people: "",
  link: "",
};

/** Seconds of units, by every way in which they are written. @type {Record<string, number>} */
const UNITS = { "": 1, s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** The seconds that a text says: "90", "5 min", "2h". @param {string} text @param {string} name of the field @throws {Error} it says none */
export function secondsOf(text, name) {
  const [, digits, unit] = /^([\d.,]+)\s*([a-z]*)$/.exec(text.trim().toLowerCase()) ?? [];
  const value = Number(digits?.replace(",", ".")) * (Object.hasOwn(UNITS, unit ?? "") ? UNITS[unit ?? ""] : NaN);
  if (!Number.isFinite(value)) throw new Error(`${name}: ${text.trim()} is no time. Write 90 s, 5 min or 2 h.`);
  return value;
}

/** A time as the form shows it, or "". @param {number | null | undefined} seconds */
function timeText(seconds) {
  if (!seconds) return "";
  for (const [factor, unit] of /** @type {[number, string][]} */ ([
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
  ]))
    if (seconds % factor === 0) return `${seconds / factor} ${unit}`;
  return `${seconds} s`;
}

/** @param {string} text @param {string} name @returns {number} */
function numberOf(text, name) {
  const value = Number(text.trim().replace(",", "."));
  if (!text.trim() || !Number.isFinite(value)) throw new Error(`${name}: write a number.`);
  return value;
}

/** Fields of the form that hold a time. */
const TIMES = /** @type {const} */ (["for", "keep", "window", "no_data", "absent", "repeat"]);

/** The fields that a kind of rule does not have. @type {Record<string, readonly string[]>} */
const WITHOUT = {
  threshold: ["absent"],
  rate: ["field", "agg", "no_data", "on_no_data", "absent"],
  absence: ["field", "side", "limit", "clear", "for", "window", "agg", "no_data", "on_no_data"],
  deviation: ["field", "by", "agg", "no_data", "on_no_data", "absent"],
};

/** Check if a kind of rule has a field. @param {string} kind @param {string} name */
export const has = (kind, name) => !(WITHOUT[kind] ?? []).includes(name);

/**
 * The rule that a form says.
 * @param {Form} form
 * @param {Rule | null} before the rule that is changed: what the form does not show stays
 * @returns {Rule}
 * @throws {Error} a text that is no number or no time, by its field
 */
export function ruleOf(form, before = null) {
  const { kind } = form;
  if (!form.topic.trim()) throw new Error("topic: name the topic whose events are judged.");
  /** @type {any} */
  const rule = { topic: form.topic.trim(), kind, title: form.title.trim() };
  for (const name of /** @type {const} */ (["field", "by"]))
    if (has(kind, name) && form[name].trim()) rule[name] = form[name].trim();
  if (has(kind, "limit")) rule[form.side] = numberOf(form.limit, "limit");
  if (has(kind, "clear") && form.clear.trim()) rule.clear = numberOf(form.clear, "clear");
  for (const name of TIMES) if (has(kind, name) && form[name].trim()) rule[name] = secondsOf(form[name], name);
  if (has(kind, "agg") && form.window.trim()) rule.agg = form.agg;
  if (has(kind, "on_no_data") && form.no_data.trim()) rule.on_no_data = form.on_no_data;
  const people = form.people.split(/[,;]/).map((name) => name.trim());
  if (people.some(Boolean)) rule.people = people.filter(Boolean);
  else if (before?.people?.length === 0) rule.people = [];
  if (form.link.trim()) rule.link = form.link.trim();
  if (before?.webhooks?.length) rule.webhooks = before.webhooks;
  if (before?.paused) rule.paused = true;
  return rule;
}

/** The form of a rule. @param {Rule} rule @returns {Form} */
export function formOf(rule) {
  const text = (/** @type {number | null | undefined} */ value) => (typeof value === "number" ? String(value) : "");
  const times = Object.fromEntries(TIMES.map((name) => [name, timeText(rule[name])]));
  return {
    ...EMPTY,
    ...times,
    title: rule.title ?? "",
    topic: rule.topic,
    field: rule.field ?? "",
    by: rule.by ?? "",
    kind: rule.kind ?? "threshold",
    side: typeof rule.below === "number" ? "below" : "above",
    limit: text(rule.above ?? rule.below),
    clear: text(rule.clear),
    agg: rule.agg ?? "last",
    on_no_data: rule.on_no_data ?? "keep",
    people: (rule.people ?? []).join(", "),
    link: rule.link ?? "",
  };
}

/** The form that a link asks for, with what it names filled in. @param {string} search of the address @returns {Form} */
export function formFrom(search) {
  const given = new URLSearchParams(search);
  const known = Object.keys(EMPTY).flatMap((name) => {
    const text = given.get(name);
    return text ? [[name, text.slice(0, 200)]] : [];
  });
  return { ...EMPTY, ...Object.fromEntries(known) };
}

/**
 * The card that shows what a rule judges.
 * @param {Rule} rule
 * @returns {import("../dashboards/document-fold.js").Card}
 */
export function cardOf(rule) {
  const limit = rule.above ?? rule.below;
  const counted = !rule.field;
  const agg = rule.window ? rule.agg : rule.above === undefined ? "min" : "max";
  /** @type {any} */
  const series = { topic: rule.topic, agg: counted ? "rate" : (agg ?? "last") };
  if (!counted) series.field = rule.field;
  if (rule.by && rule.kind !== "deviation") series.by = rule.by;
  const drawn = typeof limit === "number" && (!counted || rule.kind === "rate");
  return {
    id: "rule",
    kind: "line",
    title: rule.title || rule.topic,
    series: [series],
    unit: counted ? "events/s" : "",
    thresholds: drawn ? [limit] : [],
  };
}
