import assert from "node:assert/strict";
import { test } from "node:test";

import { age, figure, rangeName, written } from "../../../../src/tidings/web/ui/dashboards/figures-fold.js";

test("figures are short, and have the unit that fits their size", () => {
  for (const [value, unit, text] of /** @type {[number | null, string, string][]} */ ([
    [1284, "", "1,284"],
    [0.9, "%", "0.9 %"],
    [0.0381, "s", "38.1 ms"],
    [90, "s", "1.5 min"],
    [0, "s", "0 s"],
    [4100, "bytes", "4.1 kB"],
    [1.5e9, "bytes", "1.5 GB"],
    [12_345_678, "orders/s", "12.3 M orders/s"],
    [-3.14159, "", "-3.14"],
    [0.00001, "", "1.0e-5"],
    [null, "s", "–"],
    [NaN, "s", "–"],
  ]))
    assert.equal(written(value, unit).replaceAll("\u00a0", " "), text);
});

test("a column of figures has one unit", () => {
  assert.deepEqual(figure(0.5, "s", 0.001), { text: "500", unit: "ms" });
});

test("ages and ranges are read at a glance", () => {
  const plain = (/** @type {string} */ text) => text.replaceAll("\u00a0", " ");
  assert.deepEqual([0.42, 48, 200, 7200, 400_000].map(age).map(plain), ["0.4 s", "48 s", "3 min", "2 h", "5 d"]);
  assert.deepEqual([60, 604_800, 120].map(rangeName).map(plain), ["1 m", "7 d", "2 min"]);
});
