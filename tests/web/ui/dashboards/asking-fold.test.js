import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, cardIn, messagesFor } from "../../../../src/tidings/web/ui/dashboards/asking-fold.js";

test("topics of programs are shown to the assistant, those first that the request names", () => {
  const topics = ["cpu.web", "alerts.4f2a", "users.Mara", "orders.paid", "runs.01", "silences"];
  assert.deepEqual(candidates("Paid orders by country", topics), ["orders.paid", "cpu.web"]);
  assert.equal(
    candidates(
      "x",
      Array.from({ length: 99 }, (_, n) => `t.${n}`),
    ).length,
    30,
  );
});

test("a sample is cut, whatever its data", () => {
  const [{ content }] = messagesFor("A chart", [
    { topic: "a", data: "x".repeat(9999) },
    { topic: "b", data: undefined },
  ]);
  assert.ok(content.length < 2500);
  assert.match(content, /\nb: $/);
});

test("a card is taken out of an answer, with what the document knows", () => {
  const answer = `Here:\n\`\`\`json
{"kind": "bar", "title": "Paid orders", "unit": "orders", "width": 99, "thresholds": [5, "x"],
 "series": [{"topic": "orders.paid", "agg": "count", "by": "country", "color": "red"}]}
\`\`\``;
  const known = { id: "paid-orders", kind: /** @type {const} */ ("text"), title: "Paid orders" };
  assert.deepEqual(cardIn(answer, [known]), {
    id: "paid-orders-2",
    kind: "bar",
    title: "Paid orders",
    unit: "orders",
    thresholds: [5],
    series: [{ topic: "orders.paid", by: "country", agg: "count" }],
  });
  const events =
    '{"kind": "line", "title": "", "series": [{"topic": "t", "agg": "p99"}, {"topic": "t", "field": "ms", "agg": "best"}]}';
  assert.deepEqual(cardIn(events, []).series, [
    { topic: "t", agg: "rate" },
    { topic: "t", field: "ms", agg: "mean" },
  ]);
  assert.equal(cardIn(events, []).title, "t");
});

test("an answer without a card is refused with its reason", () => {
  for (const [answer, reason] of [
    ["I cannot do that.", /holds no card/],
    ['{"kind": "pie", "series": [{"topic": "t"}]}', /unknown kind/],
    ['{"kind": "text", "title": "x"}', /unknown kind/],
    ['{"kind": "line", "series": []}', /without a topic/],
    ['{"kind": "line", "series": [null]}', /without a topic/],
    ["{}", /unknown kind/],
    ["[1]", /holds no card/],
  ])
    assert.throws(() => cardIn(/** @type {string} */ (answer), []), reason);
});
