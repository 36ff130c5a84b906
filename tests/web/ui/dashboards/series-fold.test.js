import assert from "node:assert/strict";
import { test } from "node:test";

import { Columns } from "../../../../src/tidings/web/ui/dashboards/series-fold.js";

/** @typedef {import("../../../../src/tidings/web/ui/dashboards/series-fold.js").Spec} Spec */

const START = 1_760_000_000;

/** @param {Partial<Spec>} spec @param {object} answer @param {number} [now] */
function columns(spec, answer, now = START + 10) {
  const whole = { from: START, to: START + 10, step: 1, offset: "a-1", lines: [], gaps: [], notes: [], ...answer };
  return new Columns({ topic: "t", field: "", agg: "rate", by: "", ...spec }, /** @type {any} */ (whole), 60, now);
}

/** @param {number} at seconds after the start @param {any} [data] */
const event = (at, data = {}) => ({ offset: `a-${at}`, time: START + at, data });

const none = (/** @type {number} */ count) => Array(count).fill(null);

test("live events go on with the last column of the answer", () => {
  const open = { events: 2, n: 2, sum: 4, low: 1, high: 3, last: 3 };
  const lines = [{ group: "", values: [...none(9), 2], low: null, high: null, open }];
  const one = columns({ field: "x", agg: "mean" }, { lines }, START + 9.5);
  one.take([event(9.6, { x: 8 }), event(10.2, { x: 5 })]);
  assert.deepEqual(one.lines[0].values.slice(-2), [4, 5]);
});

test("a rate is known once its second has passed, and is 0 in a silent one", () => {
  const lines = [{ group: "", values: [...Array(9).fill(1), null], low: null, high: null, open: { events: 1 } }];
  const one = columns({}, { lines }, START + 9.5);
  one.take([event(9.7), event(9.8)]);
  assert.equal(one.lines[0].values[9], null);
  one.pass(START + 12.6);
  assert.deepEqual(one.lines[0].values.slice(9), [3, 0, 0, null]);
  one.take([event(11.9)]); // it was on its way for longer than its second
  assert.deepEqual(one.lines[0].values.slice(9), [3, 0, 1, null]);
});

test("a silence becomes a gap, across which a rate is unknown, and the next event ends it", () => {
  const lines = [{ group: "", values: Array(10).fill(1), low: null, high: null, open: null }];
  const one = columns({}, { lines }, START + 10);
  one.pass(START + 30);
  assert.deepEqual(one.gaps, [[START + 10, START + 30]]);
  assert.ok(one.lines[0].values.slice(10).every((value) => value === null));
  one.take([event(31.2)]);
  one.pass(START + 33);
  assert.deepEqual(one.gaps, [[START + 10, START + 31.2]]);
  one.pass(START + 50);
  assert.deepEqual(one.gaps[1], [START + 31.2, START + 50]);
  assert.equal(one.lines[0].values[31], 1);
});

test("each group has a line of its own, and further groups are counted", () => {
  const one = columns({ by: "a.b" }, {});
  for (let n = 0; n < 22; n += 1) one.take([event(10 + n / 10, { a: { b: n } })]);
  one.take([event(13, { a: {} })]);
  assert.equal(one.lines.length, 20);
  assert.equal(one.beyond, 3);
});

test("a value that is no number is counted and never drawn as 0", () => {
  const one = columns({ field: "x", agg: "last" }, {});
  one.take([event(10.1, { x: 7 })]);
  for (const x of ["9", NaN, Infinity, true, {}, [8], 1e200]) one.take([event(10.2, { x })]);
  assert.equal(one.bad, 7);
  // A value that is absent is no fault.
  one.take([event(10.2, { x: null }), event(10.3, null), event(10.4, "text"), event(10.5, [8])]);
  assert.equal(one.bad, 7);
  assert.equal(one.lines[0].values.at(-1), 7);
});

test("an event of a clock that ran backwards counts at the time of the one before", () => {
  const one = columns({ field: "x", agg: "sum" }, {});
  one.take([event(12, { x: 1 }), event(3, { x: 10 })]);
  one.pass(START + 14);
  assert.equal(one.lines[0].values[12], 11);
  assert.equal(one.lines[0].values[3], null);
});

test("quantiles of live events are right to one percent", () => {
  const one = columns({ field: "x", agg: "p99" }, {});
  one.take(Array.from({ length: 1000 }, (_, n) => event(12, { x: n + 1 })));
  assert.ok(Math.abs(/** @type {number} */ (one.lines[0].values[12]) - 990) < 10);
});

test("what has left the chart is dropped, however long it is open", () => {
  const one = columns({ field: "x", agg: "last", by: "g" }, {});
  for (let at = 10; at < 5000; at += 1) one.take([event(at, { x: at, g: "a" })]);
  assert.ok(one.count < 80);
  assert.equal(one.lines[0].values.length, one.count);
  assert.equal(one.to, START + 5000);
  assert.equal(one.lines[0].values.at(-1), 4999);
  assert.ok(one.lines[0].open.size <= 3);
});

test("the usual interval decides when a series is stale", () => {
  const lines = [{ group: "", values: [5, ...none(18), 5], low: null, high: null, open: null }];
  const slow = columns({ field: "x", agg: "last" }, { lines, to: START + 600, step: 30 }, START + 600);
  assert.ok(slow.patience > 10);
  for (let at = 601; at < 640; at += 1) slow.take([event(at, { x: 1 })]);
  assert.equal(slow.patience, 10);
});
