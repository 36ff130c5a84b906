import assert from "node:assert/strict";
import { test } from "node:test";

import { curve, route } from "../../../../src/tidings/web/ui/processes/route-fold.js";

/** @typedef {[number, number]} Point */

test("a way goes straight on, around what is between, and back at the side", () => {
  const [a, b, c] = /** @type {Point[]} */ ([[0, 0], [0, 120], [0, 240]]); // prettier-ignore
  assert.deepEqual(route(a, b, [a, b, c], "down").points, [[0, 26], [0, 60], [0, 94]]); // prettier-ignore
  assert.ok(route(a, c, [a, b, c], "down").label[0] > 92, "around the one between");
  const back = route(c, a, [a, b, c], "down");
  assert.ok(back.label[0] > 92);
  assert.deepEqual([back.points[0], back.points[2]], [[92, 240], [92, 0]]); // prettier-ignore
});

test("in a map that flows to the right the same is turned", () => {
  const [a, b] = /** @type {Point[]} */ ([[0, 0], [300, 0]]); // prettier-ignore
  assert.deepEqual(route(a, b, [a, b], "right").points, [[92, 0], [150, 0], [208, 0]]); // prettier-ignore
  assert.ok(route(b, a, [a, b], "right").label[1] > 26);
});

test("a curve passes through its points and ends in the tip of an arrow", () => {
  const { line, tip } = curve([[0, 0], [0, 50], [0, 100]], 2); // prettier-ignore
  assert.equal(line, "M0 0C0 16.7 0 36.3 0 50C0 63.7 0 77.3 0 91");
  assert.equal(tip, "M0 100L-4 91L4 91Z");
  assert.ok(!/NaN/.test(curve([[5, 5], [5, 5]], 1).line)); // prettier-ignore
});
