/** The values that the fields of a form hold, and the answer that they make. Pure. */
import { written } from "./json-fold.js";

/** @typedef {import("./schema-fold.js").Field} Field */
/** @typedef {import("./schema-fold.js").Raw} Raw */
/** @typedef {import("./schema-fold.js").Raws} Raws */

/** The values that the fields hold at first. @param {Field} field @returns {Record<string, Raw>} */
export function raws(field) {
  if (field.kind === "group") return Object.assign({}, ...(field.fields ?? []).map(raws));
  return { [field.id]: raw(field) };
}

/** @param {Field} field @returns {Raw} */
function raw({ kind, initial, options = [] }) {
  if (kind === "flag") return initial === true;
  if (kind === "choice" || kind === "choices") {
    const values =
      kind === "choices" ? (Array.isArray(initial) ? initial : []) : initial === undefined ? [] : [initial];
    const indexes = values.map((one) => options.findIndex(({ value }) => same(value, one))).filter((at) => at >= 0);
    return kind === "choices" ? indexes.map(String) : String(indexes[0] ?? "");
  }
  if (initial === undefined || (initial === null && kind !== "json")) return "";
  if (kind === "list") return Array.isArray(initial) ? initial.join("\n") : "";
  if (kind === "json") return written(initial, 2);
  return typeof initial === "string" ? initial : kind === "number" ? String(initial) : "";
}

/** @param {unknown} a @param {unknown} b */
const same = (a, b) => a === b || written(a) === written(b);

/**
 * @typedef {object} Read
 * @property {unknown} value undefined: left out
 * @property {Record<string, string>} errors by the field's id; {} if the answer may be sent
 */

/** The answer that the fields hold. @param {Field} field @param {Raws} held @returns {Read} */
export function read(field, held) {
  if (field.kind === "group") {
    const inside = (field.fields ?? []).map((one) => ({ name: one.name, ...read(one, held) }));
    const filled = inside.filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value]);
    const value = { ...field.rest, ...Object.fromEntries(filled) };
    return { value, errors: Object.assign({}, ...inside.map(({ errors }) => errors)) };
  }
  const [value, error] = single(field, held[field.id]);
  return { value, errors: error ? { [field.id]: error } : {} };
}

/** @param {Field} field @param {Raw | undefined} held @returns {[unknown, string?]} */
function single(field, held) {
  const { kind, required, options = [] } = field;
  if (kind === "fixed") return [field.initial];
  if (kind === "flag") return [held === true];
  if (kind === "choices") {
    const values = (Array.isArray(held) ? held : []).map((at) => options[Number(at)]?.value);
    return values.length === 0 && !required ? [undefined] : [values];
  }
  const text = typeof held === "string" ? held : "";
  if (text.trim() === "") return empty(field);
  if (kind === "choice") return [options[Number(text)]?.value];
  if (kind === "number") return number(field, text);
  if (kind === "list") return lines(field, text);
  if (kind === "json") {
    try {
      return [JSON.parse(text)];
    } catch {
      return [undefined, "This is not JSON. Texts need quotes."];
    }
  }
  const { shortest = 0, longest = Infinity } = field;
  const { length } = [...text];
  if (length < shortest) return [undefined, `At least ${shortest} characters.`];
  if (length > longest) return [undefined, `At most ${longest} characters.`];
  return [text];
}

/** @param {Field} field @returns {[unknown, string?]} */
function empty({ kind, required, nullable, initial }) {
  const text = kind === "text" || kind === "long";
  if (text && initial === "") return [""];
  if (kind === "list" && (required || Array.isArray(initial))) return [[]];
  if (!required) return [nullable && initial !== undefined ? null : undefined];
  return nullable ? [null] : [undefined, "Fill this in."];
}

/** @param {Field} field @param {string} text @returns {[unknown, string?]} */
function number({ whole, min, max }, text) {
  const value = Number(text);
  if (!Number.isFinite(value)) return [undefined, "This is not a number."];
  if (whole && !Number.isInteger(value)) return [undefined, "This is not a whole number."];
  if (min !== undefined && value < min) return [undefined, `At least ${min}.`];
  if (max !== undefined && value > max) return [undefined, `At most ${max}.`];
  return [value];
}

/** @param {Field} field @param {string} text @returns {[unknown, string?]} */
function lines({ numbers }, text) {
  const values = text.split("\n").filter((line) => line.trim() !== "");
  if (!numbers) return [values];
  const read = values.map(Number);
  return read.every(Number.isFinite) ? [read] : [undefined, "Each line is a number."];
}
