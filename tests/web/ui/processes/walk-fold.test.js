import assert from "node:assert/strict";
import { test } from "node:test";

import { drawn, keyOf } from "../../../../src/tidings/web/ui/processes/map-fold.js";
import { walked } from "../../../../src/tidings/web/ui/processes/walk-fold.js";
import { edge, figures } from "./figures.js";

const DRAWN = drawn(figures([edge("a", "b", 9), edge("a", "c", 5), edge("b", "d", 4), edge("c", "c", 2)]), null);

/** @type {any} */
const DOWN = {
  direction: "down",
  nodes: new Map([["a", [100, 0]], ["b", [0, 120]], ["c", [200, 120]], ["d", [0, 240]]]), // prettier-ignore
  edges: new Map([[keyOf("a", "b"), { label: [50, 60] }], [keyOf("a", "c"), { label: [150, 60] }]]), // prettier-ignore
};

/** @param {string} from @param {string} keys @param {any} [layout] */
const after = (from, keys, layout = DOWN) =>
  keys
    .split(" ")
    .reduce((at, key) => walked(key.length > 1 && key !== "Home" ? `Arrow${key}` : key, at, DRAWN, layout) ?? at, from);

test("arrows walk from an activity to its most frequent edge, on to the next activity, and back", () => {
  assert.equal(after("a", "Down"), keyOf("a", "b"));
  assert.equal(after("a", "Down Down"), "b");
  assert.equal(after("a", "Down Right Down"), "c");
  assert.equal(after("a", "Down Right Left"), keyOf("a", "b"));
  assert.equal(after("b", "Up"), keyOf("a", "b"));
  assert.equal(after("b", "Up Up"), "a");
  assert.equal(after("b", "Right"), "c");
  assert.equal(after("d", "Home"), "a");
});

test("keys that lead nowhere are no way", () => {
  for (const [key, at] of [
    ["ArrowDown", "d"],
    ["ArrowDown", "c"],
    ["ArrowUp", "a"],
    ["ArrowLeft", "b"],
    ["x", "a"],
    ["ArrowDown", "gone"],
  ])
    // prettier-ignore
    assert.equal(walked(key, at, DRAWN, DOWN), null, `${key} ${at}`);
});

test("in a map that flows to the right, right leads on", () => {
  const layout = { ...DOWN, direction: "right" };
  assert.equal(after("a", "Right Right", layout), "b");
  assert.equal(after("b", "Left Left", layout), "a");
});
