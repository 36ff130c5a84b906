import assert from "node:assert/strict";
import { test } from "node:test";

import { DEPTH, FIELDS, OPTIONS, fieldOf, schemaOf } from "../../../../src/tidings/web/ui/answer/schema-fold.js";
import { raws, read } from "../../../../src/tidings/web/ui/answer/values-fold.js";

/** @param {import("../../../../src/tidings/web/ui/answer/schema-fold.js").Field} field @returns {any} */
const shape = ({ kind, fields, options }) =>
  fields
    ? Object.fromEntries(fields.map((one) => [one.name, shape(one)]))
    : options
      ? options.map(({ label }) => label)
      : kind;

/**
 * What a form answers when some of its fields are filled in, by their names.
 * @param {unknown} schema @param {Record<string, any>} filled @param {unknown} [initial]
 */
function answer(schema, filled, initial) {
  const field = fieldOf(schema, initial);
  const held = { ...raws(field) };
  const all = field.fields ?? [{ ...field, name: "" }];
  for (const [name, raw] of Object.entries(filled)) held[all.find((one) => one.name === name)?.id ?? ""] = raw;
  const { value, errors } = read(field, held);
  const named = Object.entries(errors).map(([id, error]) => [all.find((one) => one.id === id)?.name, error]);
  return named.length > 0 ? Object.fromEntries(named) : value;
}

/** What pydantic 2 writes for a model with fields of every kind. */
const MODEL = {
  $defs: {
    Size: { enum: ["small", "large"], title: "Size", type: "string" },
    Who: { properties: { name: { type: "string" } }, required: ["name"], title: "Who", type: "object" },
  },
  properties: {
    name: { title: "Name", type: "string", maxLength: 5 },
    note: { anyOf: [{ type: "string" }, { type: "null" }], default: null, title: "Note" },
    count: { minimum: 1, maximum: 9, title: "Count", type: "integer" },
    price: { title: "Price", type: "number", default: 1.5 },
    sure: { title: "Sure", type: "boolean", default: true },
    size: { $ref: "#/$defs/Size" },
    day: { format: "date", title: "Day", type: "string" },
    tags: { items: { type: "string" }, title: "Tags", type: "array" },
    sizes: { items: { $ref: "#/$defs/Size" }, title: "Sizes", type: "array" },
    who: { $ref: "#/$defs/Who" },
    any: { title: "Any" },
    kind: { const: "order", title: "Kind", type: "string" },
  },
  required: ["name", "count", "size", "who", "kind"],
  title: "Order",
  type: "object",
};

test("a model of pydantic becomes fields of every kind", () => {
  assert.deepEqual(shape(fieldOf(MODEL)), {
    name: "text",
    note: "text",
    count: "number",
    price: "number",
    sure: "flag",
    size: ["small", "large"],
    day: "text",
    tags: "list",
    sizes: ["small", "large"],
    who: { name: "text" },
    any: "json",
    kind: "fixed",
  });
});

test("the form answers with values of the right types, and leaves out what is empty", () => {
  const field = fieldOf(MODEL);
  const [who] = field.fields?.find(({ name }) => name === "who")?.fields ?? [];
  const held = { ...raws(field), [who.id]: "Ann" };
  for (const { name, id } of field.fields ?? []) {
    if (name === "name") held[id] = "Lamp";
    if (name === "count") held[id] = "3";
    if (name === "size") held[id] = "1";
    if (name === "tags") held[id] = "a\n\n b \n";
    if (name === "sizes") held[id] = ["0", "1"];
    if (name === "any") held[id] = '{"x": [1]}';
  }
  assert.deepEqual(read(field, held), {
    value: {
      name: "Lamp",
      note: null,
      count: 3,
      price: 1.5,
      sure: true,
      size: "large",
      tags: ["a", " b "],
      sizes: ["small", "large"],
      who: { name: "Ann" },
      any: { x: [1] },
      kind: "order",
    },
    errors: {},
  });
});

test("each wrong field says what is wrong", () => {
  assert.deepEqual(answer(MODEL, { name: "too long", count: "1.5", price: "x", any: "{", size: "" }), {
    name: "At most 5 characters.",
    count: "This is not a whole number.",
    price: "This is not a number.",
    size: "Fill this in.",
    any: "This is not JSON. Texts need quotes.",
    undefined: "Fill this in.",
  });
  const number = { type: "object", properties: { n: { type: "number", minimum: 1, maximum: 3 } } };
  for (const [raw, says] of [
    ["0", "At least 1."],
    ["4", "At most 3."],
    ["1e999", "This is not a number."],
    ["2", 2],
  ])
    assert.deepEqual(answer(number, { n: raw }), { n: says });
  assert.deepEqual(answer({ type: "array", items: { type: "integer" } }, { "": "1\nx" }), {
    "": "Each line is a number.",
  });
  assert.deepEqual(answer({ type: "string", minLength: 3 }, { "": "ab" }), { "": "At least 3 characters." });
});

test("a schema of one value is one field, and answers with the value itself", () => {
  assert.equal(answer({ type: "string" }, { "": "yes" }), "yes");
  assert.equal(answer({ type: "boolean" }, {}), false);
  assert.equal(answer({ type: "integer" }, { "": " 7 " }), 7);
  assert.equal(answer({ enum: ["a", 2, null] }, { "": "1" }), 2);
  assert.equal(answer({ oneOf: [{ const: "x", title: "The x" }, { const: "y" }] }, { "": "0" }), "x");
  assert.deepEqual(answer({ type: ["string", "null"] }, { "": "" }), null);
  assert.deepEqual(answer({ allOf: [{ enum: ["a"] }] }, { "": "0" }), "a");
  assert.deepEqual(answer({ type: "array", items: { type: "number" } }, { "": "1\n2" }), [1, 2]);
  assert.deepEqual(answer({ type: "array", items: { type: "string" } }, { "": "" }), []);
});

test("arguments without a schema keep their types, and what the schema does not name stays", () => {
  const args = {
    to: "ann@example.com",
    cc: "",
    copies: 2,
    urgent: false,
    tags: ["a"],
    nested: { x: 1 },
    list: [{ y: 1 }],
    none: null,
  };
  assert.deepEqual(answer(schemaOf(args), {}, args), args);
  assert.deepEqual(answer(schemaOf(args), { copies: "3", urgent: true, cc: "bob" }, args), {
    ...args,
    copies: 3,
    urgent: true,
    cc: "bob",
  });
  const known = { type: "object", properties: { to: { type: "string" } } };
  assert.deepEqual(answer(known, { to: "x" }, args), { ...args, to: "x" });
});

test("names that objects have already are names like any other", () => {
  const schema = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}',
  );
  const value = answer(schema, { __proto__: null, constructor: "c" });
  assert.deepEqual(Object.keys(value), ["constructor"]);
  assert.equal(/** @type {any} */ ({}).c, undefined);
});

test("a hostile schema is bounded: many fields, deep nesting, long texts, huge choices, references in circles", () => {
  const many = {
    type: "object",
    properties: Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`f${n}`, { type: "string" }])),
  };
  assert.equal(fieldOf(many).kind, "json");
  /** @type {any} */
  let deep = { type: "string" };
  for (let n = 0; n < 5000; n += 1) deep = { type: "object", properties: { a: deep } };
  let at = fieldOf(deep);
  for (let n = 0; n < DEPTH; n += 1) at = /** @type {any} */ (at.fields)[0];
  assert.equal(at.kind, "json");
  const wide = {
    type: "object",
    properties: Object.fromEntries(
      Array.from({ length: 7 }, (_, n) => [
        `g${n}`,
        { type: "object", properties: Object.fromEntries(Array.from({ length: 7 }, (_, m) => [`h${m}`, {}])) },
      ]),
    ),
  };
  const count = (/** @type {any} */ field) =>
    1 + (field.fields ?? []).reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + count(one), 0);
  assert.ok(count(fieldOf(wide)) <= FIELDS + 1);
  assert.equal(fieldOf({ enum: Array.from({ length: 100_000 }, (_, n) => `o${n}`) }).kind, "text");
  assert.equal(fieldOf({ enum: Array.from({ length: OPTIONS }, (_, n) => n) }).options?.length, OPTIONS);
  const circle = { $defs: { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } }, $ref: "#/$defs/A" };
  assert.equal(fieldOf(circle).kind, "json");
  const self = { $defs: { T: { type: "object", properties: { t: { $ref: "#/$defs/T" } } } }, $ref: "#/$defs/T" };
  assert.ok(count(fieldOf(self)) <= DEPTH + 1);
  const long = fieldOf({ type: "string", title: "x".repeat(1e5), description: "y".repeat(1e5) });
  assert.ok(long.label.length < 200 && long.description.length < 1000);
  for (const odd of [
    null,
    5,
    "x",
    [],
    { type: 5 },
    { type: "object", properties: 5 },
    { enum: 5 },
    { anyOf: 5 },
    { $ref: "#/a/b" },
    { $ref: "http://x" },
  ])
    assert.equal(typeof fieldOf(odd).kind, "string");
});
