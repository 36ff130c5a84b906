/**
 * JSON Schema as the fields of a form, and the form's values as an answer. Pure.
 *
 * A schema comes from an agent, or from whoever has told the agent what to ask. So there are at most `FIELDS` fields,
 * `DEPTH` levels and `OPTIONS` options; what goes beyond is one field for JSON. Patterns are left to the agent, since one
 * could hold the browser for hours.
 */
import { written } from "./json-fold.js";

/** The most fields of a form. */
export const FIELDS = 40;
/** The most levels of objects in objects. */
export const DEPTH = 4;
/** The most options of a choice. */
export const OPTIONS = 200;
/** The most characters of a label and of a description. */
const LABEL = 120;
const DESCRIPTION = 600;
/** The most references that are followed to one schema. */
const HOPS = 20;
/** Characters from which a text gets a field of several lines. */
const LONG = 60;

/** @typedef {Record<string, any>} Schema */
/** @typedef {"text" | "long" | "number" | "flag" | "choice" | "choices" | "list" | "group" | "json" | "fixed"} Kind */

/**
 * @typedef {object} Field
 * @property {string} id unique in its form
 * @property {Kind} kind "flag": yes or no; "list": texts, each on a line; "fixed": a value that cannot be changed
 * @property {string} name in its object; "" for the whole answer
 * @property {string} label
 * @property {string} description
 * @property {boolean} required
 * @property {unknown} initial undefined without a value to begin with
 * @property {string} [type] of a text's `<input>`
 * @property {boolean} [whole] a number without a fraction
 * @property {boolean} [numbers] a list of numbers
 * @property {boolean} [nullable]
 * @property {number} [min]
 * @property {number} [max]
 * @property {number} [shortest] characters
 * @property {number} [longest] characters
 * @property {{label: string, value: unknown}[]} [options]
 * @property {Field[]} [fields] of a group
 * @property {Record<string, unknown>} [rest] what a group's initial value has beside its fields
 */

/** @typedef {string | boolean | readonly string[]} Raw what a field holds; of a choice, the indexes of the options */
/** @typedef {Readonly<Record<string, Raw>>} Raws by the field's id */

/** @type {Record<string, string>} */
const TYPES = { email: "email", date: "date", time: "time", uri: "url", "date-time": "datetime-local" };

/**
 * Make the field of a schema.
 * @param {unknown} schema
 * @param {unknown} [initial] the value to begin with
 * @returns {Field}
 */
export function fieldOf(schema, initial) {
  const root = /** @type {Schema} */ (isObject(schema) ? schema : {});
  const form = { root, left: FIELDS, count: 0 };
  return make(form, root, { name: "", required: true, initial, depth: 0 });
}

/**
 * @typedef {object} Form
 * @property {Schema} root
 * @property {number} left fields that it may still have
 * @property {number} count
 */
/** @typedef {{name: string, required: boolean, initial: unknown, depth: number}} Place */

/** @param {Form} form @param {unknown} given @param {Place} place @returns {Field} */
function make(form, given, { name, required, initial, depth }) {
  form.left -= 1;
  const { schema, nullable } = resolve(form.root, given);
  const value = initial === undefined ? schema.default : initial;
  const about = {
    id: `f${(form.count += 1)}`,
    name,
    label: cut(schema.title, LABEL) || words(name),
    description: cut(schema.description, DESCRIPTION),
    required,
    nullable,
    initial: value,
  };
  if ("const" in schema) return { ...about, kind: "fixed", initial: schema.const };
  const options = optionsOf(schema);
  if (options) return { ...about, kind: "choice", options };
  switch (typeOf(schema, value)) {
    case "string":
      return text(about, schema);
    case "number":
    case "integer":
      return {
        ...about,
        kind: "number",
        whole: schema.type === "integer",
        min: bound(schema.minimum),
        max: bound(schema.maximum),
      };
    case "boolean":
      return { ...about, kind: "flag" };
    case "array":
      return list(form, about, schema);
    case "object":
      return group(form, about, schema, depth);
    default:
      return { ...about, kind: "json" };
  }
}

/** @param {Omit<Field, "kind">} about @param {Schema} schema @returns {Field} */
function text(about, schema) {
  const initial = typeof about.initial === "string" ? about.initial : "";
  const longest = bound(schema.maxLength);
  const type = TYPES[String(schema.format)];
  const long = !type && (initial.length > LONG || initial.includes("\n") || (longest ?? 0) > 2 * LONG);
  return { ...about, kind: long ? "long" : "text", type: type ?? "text", shortest: bound(schema.minLength), longest };
}

/** The options of a choice; null if there are none, or too many to show. @param {Schema} schema */
function optionsOf({ enum: values, oneOf, anyOf }) {
  if (Array.isArray(values)) return few(values) ? values.map((one) => option(one)) : null;
  const either = oneOf ?? anyOf;
  const constants = few(either) ? either.map(constant).filter((one) => one !== null) : [];
  return constants.length > 0 && constants.length === either.length ? constants : null;
}

/** @param {unknown} list @returns {list is any[]} */
const few = (list) => Array.isArray(list) && list.length > 0 && list.length <= OPTIONS;

/** @param {Form} form @param {Omit<Field, "kind">} about @param {Schema} schema @returns {Field} */
function list(form, about, schema) {
  const { schema: items } = resolve(form.root, schema.items);
  const options = optionsOf(items);
  if (options) return { ...about, kind: "choices", options };
  const type = typeOf(items, Array.isArray(about.initial) ? about.initial[0] : undefined);
  const flat =
    !Array.isArray(about.initial) || about.initial.every((one) => !isObject(one) && !String(one).includes("\n"));
  const numbers = type === "number" || type === "integer";
  return flat && (numbers || type === "string") ? { ...about, kind: "list", numbers } : { ...about, kind: "json" };
}

/** @param {Form} form @param {Omit<Field, "kind">} about @param {Schema} schema @param {number} depth @returns {Field} */
function group(form, about, schema, depth) {
  const initial = isObject(about.initial) ? /** @type {Record<string, unknown>} */ (about.initial) : {};
  const inside = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  if (inside.length === 0 || inside.length > form.left || depth >= DEPTH) return { ...about, kind: "json" };
  const required = new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);
  const names = new Set(inside.map(([name]) => name));
  const rest = Object.fromEntries(Object.entries(initial).filter(([name]) => !names.has(name)));
  const fields = inside.map(([name, one]) =>
    make(form, one, {
      name,
      required: required.has(name),
      initial: Object.hasOwn(initial, name) ? initial[name] : undefined,
      depth: depth + 1,
    }),
  );
  return { ...about, kind: "group", fields, rest };
}

/**
 * Follow references and single alternatives, such as those of an optional value.
 * @param {Schema} root @param {unknown} given @returns {{schema: Schema, nullable: boolean}}
 */
export function resolve(root, given) {
  let schema = /** @type {Schema} */ (isObject(given) ? given : {});
  let nullable = false;
  for (let hops = 0; hops < HOPS; hops += 1) {
    const { $ref: reference, allOf, ...own } = schema;
    const either = schema.anyOf ?? schema.oneOf;
    const some = Array.isArray(either) ? either.filter((one) => one?.type !== "null") : [];
    if (typeof reference === "string") schema = { ...definition(root, reference), ...own };
    else if (Array.isArray(allOf) && allOf.length === 1 && isObject(allOf[0])) schema = { ...allOf[0], ...own };
    else if (Array.isArray(either) && some.length === 1 && isObject(some[0])) {
      const { anyOf: _, oneOf: __, ...about } = own;
      nullable ||= some.length < either.length;
      schema = { ...some[0], ...about };
    } else break;
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((one) => one !== "null");
    nullable ||= types.length < schema.type.length;
    schema = { ...schema, type: types.length === 1 ? types[0] : undefined };
  }
  return { schema, nullable };
}

/** @param {Schema} root @param {string} reference a pointer into the root: `#/$defs/Name` @returns {Schema} */
function definition(root, reference) {
  const [hash, ...path] = reference.split("/");
  /** @type {unknown} */
  let at = hash === "#" ? root : null;
  for (const part of path) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    at = isObject(at) && Object.hasOwn(at, name) ? /** @type {Schema} */ (at)[name] : null;
  }
  return isObject(at) ? /** @type {Schema} */ (at) : {};
}

/** The schema of a value whose schema nobody has told. @param {unknown} value @returns {Schema} */
export function schemaOf(value) {
  if (Array.isArray(value)) {
    const types = new Set(value.map((one) => typeof one));
    return { type: "array", items: types.size === 1 && types.has("string") ? { type: "string" } : {} };
  }
  if (isObject(value)) {
    const fields = Object.entries(/** @type {object} */ (value));
    if (fields.length > FIELDS) return { type: "object" };
    const properties = Object.fromEntries(fields.map(([name, one]) => [name, schemaOf(one)]));
    return { type: "object", properties, required: fields.map(([name]) => name) };
  }
  return ["string", "number", "boolean"].includes(typeof value) ? { type: typeof value } : {};
}

/** @param {Schema} schema @param {unknown} value @returns {string} */
function typeOf(schema, value) {
  if (typeof schema.type === "string") return schema.type;
  if (isObject(schema.properties)) return "object";
  if (Array.isArray(schema.enum)) return typeof schema.enum[0];
  return value === undefined ? "" : String(schemaOf(value).type ?? "");
}

/** @param {unknown} one an alternative of a schema @returns {{label: string, value: unknown} | null} */
const constant = (one) =>
  isObject(one) && "const" in /** @type {object} */ (one)
    ? option(/** @type {Schema} */ (one).const, /** @type {Schema} */ (one).title)
    : null;

/** @param {unknown} value @param {unknown} [title] */
const option = (value, title) => ({
  label: cut(title, LABEL) || cut(typeof value === "string" ? value : written(value), LABEL) || "(empty)",
  value,
});

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** @param {unknown} value */
const bound = (value) => (typeof value === "number" && Number.isFinite(value) ? value : undefined);

/** @param {unknown} text @param {number} most */
const cut = (text, most) =>
  typeof text !== "string" ? "" : text.length > most ? `${text.slice(0, most)}\u2026` : text;

/** "user_id" as "User id". @param {string} name */
const words = (name) => {
  const text = cut(name, LABEL).replace(/[_-]+/g, " ").trim();
  return text && text[0].toUpperCase() + text.slice(1);
};
