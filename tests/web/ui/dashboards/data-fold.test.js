import assert from "node:assert/strict";
import { test } from "node:test";

import { axisOf, dataOf, figureOf, stacked, summary } from "../../../../src/tidings/web/ui/dashboards/data-fold.js";
import { Columns } from "../../../../src/tidings/web/ui/dashboards/series-fold.js";

const START = 1_760_000_000;

/** @param {string} agg @param {(number | null)[]} values @param {[number, number][]} gaps @param {number} [from] */
function source(agg, values, gaps = [], from = START) {
  const spec = /** @type {any} */ ({ topic: "t", field: agg === "rate" ? "" : "x", agg, by: "" });
  const lines = [{ group: "", values, low: null, high: null, open: null }];
  const answer = { from, to: from + values.length, step: 1, offset: "a-1", lines, gaps, notes: [] };
  return { spec, label: "", columns: new Columns(spec, answer, 60, from + values.length) };
}

test("a line goes on between values, and ends at a gap", () => {
  const { lines, gaps } = dataOf(
    [source("mean", [1, null, 3, null, null, 6], [[START + 3, START + 5]])],
    START,
    START + 6,
  );
  assert.deepEqual(lines[0].values, [1, undefined, 3, null, null, 6]);
  assert.deepEqual(gaps, [[START + 3, START + 5]]);
});

test("an unknown rate is a gap, and never 0", () => {
  const { lines } = dataOf([source("rate", [2, null, 0])], START, START + 3);
  assert.deepEqual(lines[0].values, [2, null, 0]);
});

test("series whose columns begin at other times lie over one row of times", () => {
  const { times, lines } = dataOf([source("rate", [1, 2]), source("rate", [5, 6], [], START + 1)], START, START + 3);
  assert.deepEqual(times, [START, START + 1, START + 2]);
  assert.deepEqual(
    lines.map(({ values }) => values),
    [
      [1, 2, null],
      [null, 5, 6],
    ],
  );
  assert.equal(new Set(lines.map(({ name }) => name)).size, 1);
});

test("a gap is hatched where no series has events", () => {
  const { gaps } = dataOf(
    [source("rate", [1], [[START, START + 5]]), source("rate", [1], [[START + 3, START + 9]])],
    START,
    START + 9,
  );
  assert.deepEqual(gaps, [[START + 3, START + 5]]);
});

test("the figure of a count is that of the whole span, and else the last value", () => {
  assert.equal(figureOf([1, null, 3, null], "count"), 4);
  assert.equal(figureOf([1, null, 3, null], "mean"), 3);
  assert.equal(figureOf([null, undefined], "sum"), null);
});

test("bars stand on each other, without those that are switched off", () => {
  const line = (/** @type {number[]} */ ...values) => ({ name: "", values, low: null, high: null, figure: null });
  assert.deepEqual(stacked([line(1, 2), line(10, 20), line(100, 200)], [false, true, false]), [
    [1, 2],
    [null, null],
    [101, 202],
  ]);
});

test("an axis holds its thresholds, begins at 0 where figures differ much, and never has no height", () => {
  assert.equal(axisOf(3, 100, {})[0], 0);
  assert.ok(axisOf(98, 100, {})[0] === 98);
  assert.ok(axisOf(0, 10, { thresholds: [50] })[1] >= 50);
  assert.deepEqual(axisOf(0, 10, { min: -5, max: 20 }), [-5, 20]);
  for (const value of [0, 7, -7]) assert.ok(axisOf(value, value, {})[0] < axisOf(value, value, {})[1]);
  assert.deepEqual(axisOf(null, null, {}).length, 2);
});

test("a summary says the last value and the extremes", () => {
  const data = dataOf([source("mean", [1, 9, 4])], START, START + 3);
  assert.equal(summary("Load", data, String), "Load. x mean: 4, between 1 and 9");
});
