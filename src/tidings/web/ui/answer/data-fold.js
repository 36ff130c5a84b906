/** The shape in which a value of an application is shown: a line, pairs, a table, or JSON. Pure, and bounded. */
import { written } from "./json-fold.js";
import { isObject } from "./schema-fold.js";

/** The most that is shown of one value. */
export const ROWS = 50;
export const COLUMNS = 10;
export const PAIRS = 40;
/** Characters of a cell, a title and a text. */
const CELL = 300;
const TITLE = 120;
const TEXT = 20_000;

/**
 * @typedef {object} Cell
 * @property {string} text
 * @property {boolean} [number] it is set to the right
 * @property {boolean} [code] it is JSON
 * @property {boolean} [link] the whole text is an address
 */
/** @typedef {{shape: "line", text: string}} Line */
/** @typedef {{shape: "pairs", title: string, pairs: [string, Cell][], more: number}} Pairs */
/** @typedef {{shape: "table", title: string, columns: string[], rows: Cell[][], more: number}} Table */
/** @typedef {{shape: "json", title: string, text: string, more: number}} Json `more`: characters that are left out */
/** @typedef {Line | Pairs | Table | Json} Shape */

/** @param {unknown} value @param {string} [name] the name of the data @returns {Shape} */
export function shapeOf(value, name = "") {
  const title = cut(name, TITLE);
  if (typeof value === "string") return { shape: "line", text: cut(value, TEXT) };
  if (Array.isArray(value)) return tableOf(value, title) ?? json(value, title);
  if (!isObject(value)) return { shape: "line", text: String(value) };
  if (value.truncated === true && typeof value.beginning === "string") {
    const text = value.beginning.slice(0, TEXT);
    return { shape: "json", title, text, more: Math.max(0, Number(value.bytes) - text.length) || 0 };
  }
  const entries = Object.entries(value);
  const named = typeof value.title === "string" ? cut(value.title, TITLE) : title;
  const rest = entries.filter(([key]) => !(key === "title" && typeof value.title === "string"));
  const inner = rest.filter(([, one]) => Array.isArray(one) && one.length > 0 && one.every(isObject));
  const ids = rest.filter(([key]) => key === "id" || key === "type");
  if (inner.length === 1 && rest.length === 1 + ids.length) {
    const table = tableOf(/** @type {unknown[]} */ (inner[0][1]), named || cut(words(inner[0][0]), TITLE));
    if (table) return table;
  }
  if (rest.length === 0) return named ? { shape: "line", text: named } : json(value, title);
  const pairs = rest
    .slice(0, PAIRS)
    .map(([key, one]) => /** @type {[string, Cell]} */ ([cut(words(key), TITLE), cell(one)]));
  return { shape: "pairs", title: named, pairs, more: rest.length - pairs.length };
}

/** A list of objects that have few keys. @param {unknown[]} list @param {string} title @returns {Table | null} */
function tableOf(list, title) {
  if (list.length === 0 || !list.every(isObject)) return null;
  const shown = /** @type {Record<string, unknown>[]} */ (list.slice(0, ROWS));
  /** @type {Set<string>} */
  const keys = new Set();
  for (const row of shown) {
    for (const key of Object.keys(row)) keys.add(key);
    if (keys.size > COLUMNS) return null;
  }
  if (keys.size === 0) return null;
  const columns = [...keys];
  const rows = shown.map((row) => columns.map((key) => cell(Object.hasOwn(row, key) ? row[key] : "")));
  const heads = columns.map((key) => cut(words(key), TITLE));
  return { shape: "table", title, columns: heads, rows, more: list.length - shown.length };
}

/** @param {unknown} value @returns {Cell} */
function cell(value) {
  if (typeof value === "string") return { text: cut(value, CELL), ...(isAddress(value) && { link: true }) };
  if (typeof value === "number") return { text: String(value), number: true };
  if (typeof value === "boolean") return { text: value ? "yes" : "no" };
  if (value === null || value === undefined) return { text: "\u2013" };
  if (Array.isArray(value) && value.every((one) => ["string", "number"].includes(typeof one)))
    return { text: cut(value.slice(0, CELL).join(", "), CELL) };
  return { text: cut(written(value), CELL), code: true };
}

/** @param {unknown} value @param {string} title @returns {Json} */
function json(value, title) {
  const text = written(value, 2);
  return { shape: "json", title, text: text.slice(0, TEXT), more: Math.max(0, text.length - TEXT) };
}

/** @param {string} text */
const isAddress = (text) => text.length <= CELL && /^https?:\/\/\S+$/i.test(text);

/** @param {string} text @param {number} most */
const cut = (text, most) => (text.length > most ? `${text.slice(0, most)}\u2026` : text);

/** "order_id" as "order id". @param {string} key */
const words = (key) => key.replaceAll("_", " ");
