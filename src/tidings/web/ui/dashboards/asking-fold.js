/** The request of a card from an assistant, and the card in its answer. Pure. */
import { AGGREGATIONS, KINDS, aggOf, idFor } from "./document-fold.js";

/** @typedef {import("./document-fold.js").Card} Card */
/** @typedef {{topic: string, data: unknown}} Sample the data of a topic's last event */

/** Topics that programs do not publish: nobody draws them. */
const OWN = /^(alerts|users|rooms|conversations|runs|dashboards|webhooks|processes)\.|^(silences|judging)$/;

/** Topics that are shown to the assistant, those first whose names have words of the request. */
const MOST = 30;

/** Characters of a sample. */
const SAMPLE = 300;

/** The topics that may be meant. @param {string} text of the request @param {readonly string[]} topics */
export function candidates(text, topics) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  const near = (/** @type {string} */ topic) => words.filter((word) => topic.toLowerCase().includes(word)).length;
  const known = topics.filter((topic) => !OWN.test(topic));
  return known.toSorted((a, b) => near(b) - near(a)).slice(0, MOST);
}

const RULES = `You make one card of a dashboard. Answer with one JSON object and nothing else:
{"kind": "line" | "area" | "bar" | "gauge" | "number" | "table" | "events",
 "title": text, "unit": text, "thresholds": [number],
 "series": [{"topic": text, "field": text, "agg": text, "by": text, "label": text}]}
"topic" is one of the topics below. "field" is the path of a number in the data, such as "order.total"; leave it out to
count events. "agg" is one of ${AGGREGATIONS.map(([name]) => name).join(", ")}; events without a field have rate (per second)
or count. "by" is the path of the value that makes a line of its own for each, such as "country". "unit" is short; "s" and
"bytes" are scaled. Leave out what is not needed. For events per minute use kind "bar" with count.`;

/** The messages that ask for a card. @param {string} text @param {readonly Sample[]} samples @returns {{role: string, content: string}[]} */
export function messagesFor(text, samples) {
  const lines = samples.map(({ topic, data }) => `${topic}: ${(JSON.stringify(data) ?? "").slice(0, SAMPLE)}`);
  const topics = lines.length > 0 ? lines.join("\n") : "(none)";
  return [
    { role: "system", content: `${RULES}\n\nTopics, each with the data of its last event:\n${topics}` },
    { role: "user", content: text },
  ];
}

/** @param {unknown} value @param {number} most */
const textIn = (value, most) => (typeof value === "string" ? value.trim().slice(0, most) : "");

/**
 * The card in an answer. Unknown members are left out; the server checks the rest when the dashboard is saved.
 * @param {string} answer
 * @param {readonly Card[]} others the cards of the dashboard
 * @returns {Card}
 * @throws {Error} there is no card in it
 */
export function cardIn(answer, others) {
  /** @type {any} */
  let found;
  try {
    found = JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
  } catch {
    throw new Error("The answer holds no card.");
  }
  const kind = KINDS.find(([name]) => name === found?.kind && name !== "text")?.[0];
  if (!kind) throw new Error("The answer holds a card of an unknown kind.");
  const series = (Array.isArray(found.series) ? found.series : []).slice(0, 5).map(seriesIn);
  if (series.length === 0) throw new Error("The answer holds a card without a topic.");
  const title = textIn(found.title, 100) || series[0].topic;
  /** @type {Card} */
  const card = { id: idFor(title, others), kind, title, series };
  const unit = textIn(found.unit, 20);
  if (unit && kind !== "events") card.unit = unit;
  const numbers = Array.isArray(found.thresholds) ? found.thresholds.filter(Number.isFinite).slice(0, 5) : [];
  if (numbers.length > 0) card.thresholds = numbers;
  return card;
}

/** @param {any} given @returns {import("./document-fold.js").Series} */
function seriesIn(given) {
  const topic = textIn(given?.topic, 200);
  if (!topic) throw new Error("The answer holds a card without a topic.");
  /** @type {import("./document-fold.js").Series} */
  const series = { topic };
  const [field, by, label] = [textIn(given.field, 200), textIn(given.by, 200), textIn(given.label, 100)];
  const agg = AGGREGATIONS.find(([name]) => name === given.agg)?.[0] ?? (field ? "mean" : "rate");
  if (field) series.field = field;
  if (by) series.by = by;
  if (label) series.label = label;
  return { ...series, agg: aggOf({ ...series, agg }) };
}
