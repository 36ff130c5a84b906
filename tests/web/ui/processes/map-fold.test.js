import assert from "node:assert/strict";
import { test } from "node:test";

import * as map from "../../../../src/tidings/web/ui/processes/map-fold.js";
import { activity, edge, figures } from "./figures.js";

/** @param {{from: string, to: string}[]} edges */
const named = (edges) => edges.map(({ from, to }) => from + to);

const ORDERS = figures([edge("a", "b", 20), edge("b", "c", 12), edge("c", "b", 3), edge("a", "d", 1)]);

test("edges are drawn from a threshold on, and activities that have none of them are not", () => {
  const all = map.drawn(ORDERS, null);
  assert.deepEqual(named(all.edges), ["ab", "bc", "cb", "ad"]);
  assert.deepEqual([all.least, all.most], [1, 20]);
  const some = map.drawn(ORDERS, 3);
  assert.deepEqual(named(some.edges), ["ab", "bc", "cb"]);
  assert.deepEqual(
    some.nodes.map((node) => node.activity),
    ["a", "b", "c"],
  );
  assert.deepEqual(map.thresholds(ORDERS.edges), [1, 3, 12, 20]);
});

test("an activity of cases of a single event is drawn if it has as many cases as the edges", () => {
  const alone = { activities: [...ORDERS.activities, activity("x", 5), activity("y", 1)], edges: ORDERS.edges };
  const names = (/** @type {number} */ least) => map.drawn(alone, least).nodes.map((node) => node.activity);
  assert.deepEqual(names(3), ["a", "b", "c", "x"]);
  const only = map.drawn({ activities: [activity("x", 5), activity("y", 1)], edges: [] }, null);
  assert.deepEqual([only.nodes.length, only.edges.length], [2, 0]);
  assert.deepEqual(map.drawn({ activities: [], edges: [] }, 7).nodes, []);
});

test("no more than 150 edges are drawn by themselves, and 500 ever, also where all have as many cases", () => {
  const many = Array.from({ length: 700 }, (_, n) =>
    edge(`a${n}`, `b${n}`, n < 100 ? 9 : n < 200 ? 5 : n < 400 ? 2 : 1),
  );
  const usual = map.drawn(figures(many), null);
  assert.deepEqual([usual.edges.length, usual.least], [100, 9], "all edges of 5 cases would be 200");
  assert.deepEqual(map.thresholds(many), [2, 5, 9]);
  assert.equal(map.drawn(figures(many), 1).edges.length, 400);
  const same = many.map((one) => ({ ...one, cases: 4 }));
  assert.equal(map.drawn(figures(same), null).edges.length, map.USUAL);
  assert.equal(map.drawn(figures(same), 4).edges.length, map.MOST);
  assert.deepEqual(map.thresholds(same), [4]);
});

test("a line is as wide as the square root of its cases", () => {
  assert.deepEqual([map.widthOf(100, 100), map.widthOf(25, 100), map.widthOf(0, 0)], [6, 3.75, 1.5]);
});

test("cases that have come are counted by activity", () => {
  const after = { ...ORDERS, activities: [activity("a", 23), activity("b", 20), activity("new", 2)] };
  assert.deepEqual([...map.arrivals(ORDERS, after)], [["a", 3], ["new", 2]]); // prettier-ignore
});

test("edges that cases have taken are known by their events", () => {
  const after = figures([edge("a", "b", 21), edge("b", "c", 12), edge("c", "b", 9), edge("c", "d", 1)]);
  assert.deepEqual(map.taken(ORDERS, after), [map.keyOf("c", "b"), map.keyOf("a", "b"), map.keyOf("c", "d")]);
});

test("an edge belongs to its activities, and an activity to its edges", () => {
  const ab = map.keyOf("a", "b");
  assert.deepEqual([...map.around(ab, ORDERS.edges)].sort(), ["a", ab, "b"].sort());
  assert.equal(map.around("a", ORDERS.edges).has(map.keyOf("a", "d")), true);
  assert.equal(map.around("a", ORDERS.edges).has("c"), false);
  assert.deepEqual([...map.onPath(["a", "b", "a"])], ["a", "b", ab, map.keyOf("b", "a")]);
});

test("a share is never rounded to none or to all", () => {
  const written = [
    map.share(0, 9),
    map.share(1, 90_000),
    map.share(12, 1284),
    map.share(9999, 10_000),
    map.share(7, 7),
  ];
  assert.deepEqual(
    written.map((text) => text.replace("\u00a0", " ")),
    ["0 %", "under 0.1 %", "0.9 %", "over 99.9 %", "100 %"],
  );
  assert.equal(map.share(0, 0), "0\u00a0%");
});
