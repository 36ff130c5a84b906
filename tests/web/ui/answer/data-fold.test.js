import assert from "node:assert/strict";
import { test } from "node:test";

import { COLUMNS, PAIRS, ROWS, shapeOf } from "../../../../src/tidings/web/ui/answer/data-fold.js";

/** @param {unknown} value @param {string} [name] @returns {any} */
const shape = (value, name) => shapeOf(value, name);

test("a text and a number are lines, an object is pairs, a list of objects is a table", () => {
  assert.deepEqual(shape("Searching"), { shape: "line", text: "Searching" });
  assert.deepEqual(shape(5), { shape: "line", text: "5" });
  assert.deepEqual(shape({ title: "Order", order_id: 7, paid: true, by: null, tags: ["a", "b"], more: { x: 1 } }), {
    shape: "pairs",
    title: "Order",
    pairs: [
      ["order id", { text: "7", number: true }],
      ["paid", { text: "yes" }],
      ["by", { text: "\u2013" }],
      ["tags", { text: "a, b" }],
      ["more", { text: '{"x":1}', code: true }],
    ],
    more: 0,
  });
  const rows = [{ a: 1, b: "x" }, { a: 2 }];
  const table = shape(rows, "Found");
  assert.deepEqual([table.shape, table.title, table.columns], ["table", "Found", ["a", "b"]]);
  assert.deepEqual(table.rows[1], [{ text: "2", number: true }, { text: "" }]);
  assert.equal(shape({ title: "Hits", id: "h", rows }).title, "Hits");
  assert.equal(shape({ hits: rows }).title, "hits");
  assert.deepEqual(shape({ title: "Only this" }), { shape: "line", text: "Only this" });
  assert.equal(shape([1, 2]).shape, "json");
  assert.equal(shape({}).shape, "json");
});

test("only addresses of the web are links", () => {
  const { pairs } = shape({
    a: "https://example.com/x",
    b: "javascript:alert(1)",
    c: "see https://x.y",
    d: "data:text/html,x",
  });
  assert.deepEqual(
    pairs.map(([, cell]) => cell.link ?? false),
    [true, false, false, false],
  );
});

test("a value that was too large for its event shows its beginning", () => {
  const cut = shape({ truncated: true, bytes: 5000, beginning: '[{"a":' });
  assert.deepEqual(cut, { shape: "json", title: "", text: '[{"a":', more: 4994 });
});

test("hostile data is bounded", () => {
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n]));
  assert.deepEqual([shape(wide).pairs.length, shape(wide).more], [PAIRS, 10_000 - PAIRS]);
  const tall = Array.from({ length: 10_000 }, (_, n) => ({ n }));
  assert.deepEqual([shape(tall).rows.length, shape(tall).more], [ROWS, 10_000 - ROWS]);
  assert.equal(shape([Object.fromEntries(Array.from({ length: COLUMNS + 1 }, (_, n) => [`c${n}`, n]))]).shape, "json");
  assert.ok(shape("x".repeat(1e6)).text.length < 21_000);
  assert.ok(shape([["x".repeat(1e6)]]).text.length < 21_000);
  const [[name, cell]] = shape({ ["k".repeat(1e5)]: "v".repeat(1e5) }).pairs;
  assert.ok(name.length < 200 && cell.text.length < 400);
  /** @type {any} */
  let deep = [];
  for (let n = 0; n < 100_000; n += 1) deep = [deep];
  assert.equal(shape(deep).text, "");
  assert.equal(shape({ deep }).pairs[0][1].text, "");
  const odd = JSON.parse('[{"__proto__": 1, "constructor": 2}, {}]');
  assert.deepEqual(shape(odd).rows[1], [{ text: "" }, { text: "" }]);
});
