import assert from "node:assert/strict";
import { test } from "node:test";

import dagre from "../../../../src/tidings/web/vendor/dagre.mjs";
import * as files from "../../../../src/tidings/web/ui/processes/export-fold.js";
import { arrange, bounds } from "../../../../src/tidings/web/ui/processes/layout-fold.js";
import { drawn } from "../../../../src/tidings/web/ui/processes/map-fold.js";
import { edge, figures } from "./figures.js";

test("names are kept in a table, and none of them becomes a formula", () => {
  const csv = files.edgesCsv(figures([edge('=HYPERLINK("x")', "a, b\nc", 2, { median: 1.5, exact: false })]));
  const [head, ...rows] = csv.split("\r\n");
  assert.equal(head, "from,to,events,cases,mean,median,min,max,sum,exact");
  assert.equal(rows[0], `"'=HYPERLINK(""x"")","a, b\nc",2,2,60,1.5,60,60,120,false`);
  assert.equal(rows[1], "");
  const some = figures([edge("a", "b", 2)], { start: { a: 20 }, top_variants: [{ trace: ["a", "b"], cases: 2 }] });
  assert.equal(files.activitiesCsv(some).split("\r\n")[1], "a,20,20,20,0,0,");
  assert.equal(files.variantsCsv(some), "cases,trace\r\n2,a > b\r\n");
});

test("a picture holds the map, and names are text in it", () => {
  const bad = "<script>alert(1)</script> \u0000&";
  const shown = drawn(figures([edge("a", bad, 3), edge("a", "a", 1)]), null);
  const names = shown.nodes.map(({ activity }) => activity);
  const layout = arrange(dagre, { nodes: names, edges: shown.edges, direction: "down" });
  const box = bounds(layout, names, shown.edges);
  const svg = files.svg("orders & more", shown, layout, box, ({ cases }) => `${cases}`, ({ cases }) => `${cases} cases`); // prettier-ignore
  assert.ok(!svg.includes("<script") && !svg.includes("\u0000") && !/NaN|undefined/.test(svg));
  assert.ok(svg.includes("&lt;script>alert(1)&lt;/script> \ufffd&amp;"));
  assert.ok(svg.includes("<title>orders &amp; more</title>"));
  assert.equal(svg.match(/stroke-width="/g)?.length, 2);
  assert.match(svg, /viewBox="-?\d+ -?\d+ \d+ \d+"/);
});

test("a long name is cut between letters", () => {
  assert.equal(files.cut("Order received", 22), "Order received");
  assert.equal(files.cut("Order received by post", 14), "Order received\u2026");
  assert.equal(files.cut("注文を受け付けました", 8), "注文を受\u2026");
  assert.equal(files.cut("\u{1f600}\u{1f600}\u{1f600}", 4), "\u{1f600}\u{1f600}\u2026");
  assert.equal(files.cut("two\n lines", 22), "two lines");
});
