import assert from "node:assert/strict";
import { test } from "node:test";

import dagre from "../../../../src/tidings/web/vendor/dagre.mjs";
import { arrange, bounds, extended, settled } from "../../../../src/tidings/web/ui/processes/layout-fold.js";
import { keyOf } from "../../../../src/tidings/web/ui/processes/map-fold.js";
import { NODE } from "../../../../src/tidings/web/ui/processes/route-fold.js";

/** @typedef {import("../../../../src/tidings/web/ui/processes/layout-fold.js").Graph} Graph */

/** A graph of edges such as "ab", the first the most frequent. @param {string} edges @param {"down" | "right"} [direction] @returns {Graph} */
const graph = (edges, direction = "down") => ({
  nodes: [...new Set(edges.replaceAll(" ", ""))],
  edges: edges.split(" ").map(([from, to], at) => ({ from, to, cases: 100 - at })),
  direction,
});

const ORDERS = "ab bc cd de ef fg gh cb aa";

/** @param {import("../../../../src/tidings/web/ui/processes/layout-fold.js").Layout} layout @param {string} name */
const at = (layout, name) => /** @type {[number, number]} */ (layout.nodes.get(name));

/** No two activities cover each other. @param {import("../../../../src/tidings/web/ui/processes/layout-fold.js").Layout} layout */
function apart({ nodes }) {
  const all = [...nodes.values()];
  for (const [n, [x, y]] of all.entries())
    for (const [otherX, otherY] of all.slice(n + 1))
      assert.ok(Math.abs(x - otherX) >= NODE.width || Math.abs(y - otherY) >= NODE.height, `${x} ${y}`);
}

for (const [direction, along] of /** @type {const} */ ([
  ["down", 1],
  ["right", 0],
]))
  test(`activities follow each other ${direction}, loops and returns included`, () => {
    const layout = arrange(dagre, graph(ORDERS, direction));
    const places = [..."abcdefgh"].map((name) => at(layout, name)[along]);
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.equal(layout.edges.size, 9);
    for (const { points } of layout.edges.values()) assert.ok(points.flat().every(Number.isFinite));
    const own = /** @type {any} */ (layout.edges.get(keyOf("a", "a")));
    assert.ok(own.label[1 - along] > at(layout, "a")[1 - along], "a loop is beside the flow");
    apart(layout);
  });

test("a way ends at the border of its activities, also where one has a loop", () => {
  const layout = arrange(dagre, graph(ORDERS));
  for (const [key, { points }] of layout.edges) {
    const [from, to] = key.split("\0").map((name) => at(layout, name));
    if (from === to) continue;
    for (const [[x, y], [endX, endY]] of /** @type {const} */ ([
      [from, points[0]],
      [to, points[points.length - 1]],
    ])) {
      // prettier-ignore
      const side = Math.abs(Math.abs(endX - x) - NODE.width / 2) < 1 && Math.abs(endY - y) <= NODE.height / 2 + 1;
      const end = Math.abs(Math.abs(endY - y) - NODE.height / 2) < 1 && Math.abs(endX - x) <= NODE.width / 2 + 1;
      assert.ok(side || end, `${key} ${points}`);
    }
  }
});

test("names are kept whatever they are", () => {
  const names = ["10", "2", "__proto__", "constructor", "", "\u202e"];
  const edges = names.slice(1).map((to, n) => ({ from: names[n], to, cases: 1 }));
  const layout = arrange(dagre, { nodes: names, edges, direction: "down" });
  const places = names.map((name) => at(layout, name)[1]);
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
  );
  assert.equal(new Set(places).size, names.length);
});

test("little that is new is added without moving anything", () => {
  const before = arrange(dagre, graph(`${ORDERS} ac bd`));
  const less = extended(before, graph("ab bc"));
  assert.equal(less, before, "what is hidden stays in the layout");
  const after = /** @type {any} */ (extended(before, graph(`${ORDERS} ac bd hx`)));
  for (const [name, place] of before.nodes) assert.deepEqual(after.nodes.get(name), place);
  assert.ok(after.nodes.get("x")[1] > at(before, "h")[1], "a new activity comes after the one before it");
  assert.equal(after.edges.size, before.edges.size + 1);
  apart(after);
  assert.equal(extended(after, graph(`${ORDERS} ac bd hx xy yz`)), null, "a fifth is too much");
  assert.equal(extended(before, graph(ORDERS, "right")), null);
});

test("new activities never cover others", () => {
  const wide = [..."bcdefghijklmnopqrstuvwxyz"].map((to) => `a${to}`).join(" ");
  let layout = arrange(dagre, graph(wide));
  layout = /** @type {any} */ (extended(layout, graph(`${wide} bB`)));
  layout = /** @type {any} */ (extended(layout, graph(`${wide} bB bC`)));
  assert.ok(layout);
  apart(layout);
  const right = arrange(dagre, graph(wide, "right"));
  apart(/** @type {any} */ (extended(right, graph(`${wide} aB`, "right"))));
});

test("a new arrangement is moved to where the activities were", () => {
  const before = arrange(dagre, graph(ORDERS));
  const away = settled(null, before);
  assert.equal(away, before);
  const moved = {
    ...before,
    nodes: new Map(
      [...before.nodes].map(([name, [x, y]]) => [name, /** @type {[number, number]} */ ([x + 50, y - 7])]),
    ),
  };
  const back = settled(moved, before);
  for (const [name, place] of moved.nodes) assert.deepEqual(back.nodes.get(name), place);
  assert.equal(back.edges.get(keyOf("a", "b"))?.label[0], (before.edges.get(keyOf("a", "b"))?.label[0] ?? 0) + 50);
});

test("the box holds what is drawn", () => {
  const layout = arrange(dagre, graph("ab"));
  const { width, height } = bounds(layout, ["a", "b"], [{ from: "a", to: "b" }]);
  assert.equal(width, NODE.width);
  assert.ok(height > 2 * NODE.height);
  assert.deepEqual(bounds(layout, [], []), { left: 0, top: 0, width: 1, height: 1 });
});
