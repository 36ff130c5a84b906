/** The document of a dashboard, and what an editor does to it. Each change makes another document. */

/** @typedef {import("./bucket-fold.js").Aggregation} Aggregation */
/** @typedef {{topic: string, field?: string, agg?: Aggregation, by?: string, label?: string}} Series */
/** @typedef {"line" | "area" | "bar" | "gauge" | "number" | "table" | "events" | "text"} Kind */

/**
 * @typedef {object} Card
 * @property {string} id
 * @property {Kind} kind
 * @property {string} title
 * @property {number} [width] columns of twelve
 * @property {Series[]} [series]
 * @property {string} [unit]
 * @property {number[]} [thresholds]
 * @property {number | null} [min]
 * @property {number | null} [max]
 * @property {string} [text]
 */

/** @typedef {{version: number, title: string, range?: number, cards: Card[]}} Dashboard */

/** The version that this page writes. */
export const VERSION = 1;

export const WIDTHS = [3, 4, 5, 6, 8, 12];

/** The kinds of cards, with their names. @type {readonly [Kind, string][]} */
export const KINDS = [
  ["line", "Line"],
  ["area", "Area"],
  ["bar", "Bars"],
  ["number", "Number"],
  ["gauge", "Gauge"],
  ["table", "Table"],
  ["events", "Events"],
  ["text", "Text"],
];

/** The aggregations, with their names. @type {readonly [Aggregation, string][]} */
export const AGGREGATIONS = [
  ["rate", "Rate per second"],
  ["count", "Count"],
  ["sum", "Sum"],
  ["mean", "Mean"],
  ["min", "Least"],
  ["max", "Greatest"],
  ["last", "Last"],
  ["p50", "Median"],
  ["p99", "99th percentile"],
];

const USUAL_WIDTH = 6;

/** The width of a card. @param {Card} card */
export const widthOf = (card) => card.width ?? USUAL_WIDTH;

/** The aggregation of a series: events themselves have a rate. @param {Series} series @returns {Aggregation} */
export const aggOf = ({ agg = "mean", field }) => (field || agg === "count" ? agg : "rate");

/** The topics of cards, each once. @param {readonly Card[]} cards */
export const topicsOf = (cards) => [...new Set(cards.flatMap(({ series = [] }) => series.map(({ topic }) => topic)))];

/** Make the id of a card from its title, unlike those of the others. @param {string} title @param {readonly Card[]} cards */
export function idFor(title, cards) {
  const word = slugOf(title).slice(0, 36) || "card";
  const taken = new Set(cards.map(({ id }) => id));
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? word : `${word}-${n}`;
    if (!taken.has(id)) return id;
  }
}

/** A title as a part of an address. @param {string} title */
export const slugOf = (title) =>
  title
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 50);

/** Put a card in the place of the one with its id, or at the end. @param {Dashboard} board @param {Card} card @returns {Dashboard} */
export function put(board, card) {
  const known = board.cards.some(({ id }) => id === card.id);
  const cards = known ? board.cards.map((one) => (one.id === card.id ? card : one)) : [...board.cards, card];
  return { ...board, cards };
}

/** @param {Dashboard} board @param {string} id @returns {Dashboard} */
export const without = (board, id) => ({ ...board, cards: board.cards.filter((card) => card.id !== id) });

/** Move a card to a place among the others. @param {Dashboard} board @param {string} id @param {number} to @returns {Dashboard} */
export function moved(board, id, to) {
  const card = board.cards.find((one) => one.id === id);
  if (!card) return board;
  const others = board.cards.filter((one) => one !== card);
  const place = Math.max(0, Math.min(to, others.length));
  if (board.cards[place] === card) return board;
  return { ...board, cards: [...others.slice(0, place), card, ...others.slice(place)] };
}

/** Make a card wider or narrower by a step. @param {Dashboard} board @param {string} id @param {1 | -1} step @returns {Dashboard} */
export function resized(board, id, step) {
  const card = board.cards.find((one) => one.id === id);
  const width = card && WIDTHS[WIDTHS.indexOf(widthOf(card)) + step];
  return card && width ? put(board, { ...card, width }) : board;
}

/**
 * Read an exported file. The server checks the members.
 * @param {string} text
 * @returns {Dashboard}
 * @throws {Error} the file is no dashboard, or one of a newer version
 */
export function imported(text) {
  /** @type {any} */
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Error("The file is not JSON.");
  }
  // An answer of `GET /dashboards/ID` has the document inside.
  const board = found?.dashboard ?? found;
  if (board === null || typeof board !== "object" || !Array.isArray(board.cards))
    throw new Error("cards: the file has none, so it is no dashboard.");
  if (typeof board.version === "number" && board.version > VERSION)
    throw new Error(
      `version: the file is of version ${board.version}, and this page reads versions up to ${VERSION}. Update the server.`,
    );
  if (typeof board.title !== "string" || board.title === "") throw new Error("title: the dashboard has none.");
  return board;
}

/** The text of an exported file. @param {Dashboard} board */
export const exported = (board) => `${JSON.stringify(board, null, 2)}\n`;

/** The member that a refusal names, and its reason: "cards.0.width: …". @param {string} message @returns {{card: number | null, member: string, reason: string}} */
export function refusal(message) {
  const found = /^(?:body\.)?cards\.(\d+)(?:\.([\w.]+))?: (.+)$/s.exec(message);
  if (!found) return { card: null, member: "", reason: message };
  return { card: Number(found[1]), member: found[2] ?? "", reason: found[3] };
}

/**
 * Make a card of what a form holds.
 * @param {Record<string, string>} form
 * @param {string} id
 * @returns {Card}
 * @throws {Error} a member that the card needs is missing or no number
 */
export function cardOf(form, id) {
  const kind = /** @type {Kind} */ (form.kind);
  const title = form.title.trim();
  if (!title) throw new Error("title: a card has a title.");
  /** @type {Card} */
  const card = { id, kind, title, width: Number(form.width) };
  if (kind === "text") return { ...card, text: form.text };
  const series = lines(form.series).map(seriesOf);
  card.series = series;
  if (series.length === 0) throw new Error("series: name a topic.");
  if (kind === "events" || !form.unit.trim()) delete card.unit;
  else card.unit = form.unit.trim();
  const thresholds = form.thresholds.split(/[\s;]+/).filter(Boolean);
  if (thresholds.length > 0) card.thresholds = thresholds.map((text) => numberOf(text, "thresholds"));
  if (form.min.trim()) card.min = numberOf(form.min, "min");
  if (form.max.trim()) card.max = numberOf(form.max, "max");
  return card;
}

/** @param {string} text @returns {Record<string, string>[]} */
const lines = (text) => JSON.parse(text || "[]");

/** @param {Record<string, string>} form @returns {Series} */
function seriesOf({ topic, field, agg, by, label }) {
  if (!topic.trim()) throw new Error("topic: name the topic of each line.");
  /** @type {Series} */
  const series = { topic: topic.trim(), agg: /** @type {Aggregation} */ (agg) };
  if (field.trim()) series.field = field.trim();
  else if (agg !== "rate" && agg !== "count") throw new Error(`field: ${agg} needs the field of a number.`);
  if (by.trim()) series.by = by.trim();
  if (label.trim()) series.label = label.trim();
  return series;
}

/** @param {string} text @param {string} member */
function numberOf(text, member) {
  const value = Number(text.trim().replace(",", "."));
  if (!Number.isFinite(value)) throw new Error(`${member}: ${text.trim()} is no number.`);
  return value;
}
