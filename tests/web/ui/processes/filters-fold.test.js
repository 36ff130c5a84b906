import assert from "node:assert/strict";
import { test } from "node:test";
import {
  conditionsOf,
  inWords,
  joined,
  period,
  queryOf,
} from "../../../../src/tidings/web/ui/processes/filters-fold.js";

test("a query and its conditions are the same", () => {
  const query = "with=A+%26+B&without=C&attribute=a%3Db%3Dc&variant=%5B%22A%22%5D";
  const conditions = conditionsOf(`${query}&utm=1&variants=3`);
  assert.deepEqual(conditions, [
    { kind: "with", value: "A & B" },
    { kind: "without", value: "C" },
    { kind: "attribute", value: "a=b=c" },
    { kind: "variant", value: '["A"]' },
  ]);
  assert.equal(queryOf(conditions), query);
  assert.deepEqual(conditionsOf(""), []);
});

test("a further condition is there once, and a time takes the place of the one before it", () => {
  const conditions = conditionsOf("with=A&with=B&since=2024-01-01");
  const more = conditionsOf("with=A&since=2025-01-01&until=2026-01-01");
  assert.equal(queryOf(joined(conditions, more)), "with=B&with=A&since=2025-01-01&until=2026-01-01");
});

test("a period of days is from the first midnight to before the last, here", () => {
  const [since, until] = period("2026-03-01", "2026-03-31");
  assert.deepEqual(since, { kind: "since", value: new Date(2026, 2, 1).toISOString() });
  assert.equal(until.value, `${new Date(new Date(2026, 3, 1).getTime() - 1).toISOString().slice(0, -1)}999Z`);
  assert.equal(inWords(since), "From 1 Mar 2026");
  assert.equal(inWords(until), "Until 31 Mar 2026");
  assert.deepEqual(period("", ""), []);
  assert.deepEqual(
    period("", "2026-03-31").map(({ kind }) => kind),
    ["until"],
  );
});

test("conditions have words", () => {
  const words = (/** @type {string} */ query) => conditionsOf(query).map(inWords);
  assert.deepEqual(words("with=A&without=B&attribute=org:group%3DX%3DY"), ["With A", "Without B", "org:group is X=Y"]);
  assert.deepEqual(words('variant=["A","B"]&variant=["A","B","C","D","E"]'), [
    "Variant A \u2192 B",
    "Variant A \u2192 B \u2192 C \u2192 2 more",
  ]);
  assert.deepEqual(words("variant=A&attribute=x&since=2024-01-01&until=soon"), [
    "Variant A",
    "x",
    "From 2024-01-01",
    "Until soon",
  ]);
  const at = new Date(2024, 0, 1, 10, 15).toISOString();
  assert.deepEqual(words(`since=${at}`), ["From 1 Jan 2024, 10:15:00"]);
});
