import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EMPTY,
  cardOf,
  formFrom,
  formOf,
  has,
  ruleOf,
  secondsOf,
} from "../../../../src/tidings/web/ui/alerts/rule-fold.js";

/** @param {Partial<typeof EMPTY>} given */
const form = (given) => ({ ...EMPTY, topic: "cpu", ...given });

test("a time is written in seconds, minutes, hours or days", () => {
  for (const [text, seconds] of /** @type {const} */ ([
    ["90", 90],
    ["90 s", 90],
    ["5 min", 300],
    ["5m", 300],
    ["1.5 h", 5400],
    ["1,5h", 5400],
    ["2 d", 172_800],
  ]))
    assert.equal(secondsOf(text, "for"), seconds);
  for (const text of ["", "soon", "5 weeks", "-3", "5 min 3 s"])
    assert.throws(() => secondsOf(text, "for"), /^Error: for: /);
});

test("a form says a rule", () => {
  assert.deepEqual(ruleOf(form({ field: "load", limit: "90", clear: "80", for: "1 min", title: " CPU " })), {
    topic: "cpu",
    kind: "threshold",
    title: "CPU",
    field: "load",
    above: 90,
    clear: 80,
    for: 60,
  });
  assert.deepEqual(ruleOf(form({ kind: "absence", absent: "5 min", field: "load", limit: "nonsense" })), {
    topic: "cpu",
    kind: "absence",
    title: "",
    absent: 300,
  });
  assert.deepEqual(ruleOf(form({ limit: "1", window: "10", agg: "mean", people: "Mara, Jonas" })), {
    topic: "cpu",
    kind: "threshold",
    title: "",
    above: 1,
    window: 10,
    agg: "mean",
    people: ["Mara", "Jonas"],
  });
});

test("a text that is no number is refused by its field", () => {
  assert.throws(() => ruleOf(form({ limit: "" })), /^Error: limit: /);
  assert.throws(() => ruleOf(form({ limit: "ten" })), /^Error: limit: /);
  assert.throws(() => ruleOf(form({ limit: "1", clear: "x" })), /^Error: clear: /);
  assert.throws(() => ruleOf(form({ topic: " ", limit: "1" })), /^Error: topic: /);
});

test("a rule that is changed keeps what the form does not show", () => {
  const rule = {
    topic: "cpu",
    kind: /** @type {const} */ ("threshold"),
    title: "",
    above: 1,
    webhooks: ["a"],
    paused: true,
    people: [],
  };
  assert.deepEqual(ruleOf(formOf(rule), rule), rule);
  const below = {
    topic: "t",
    kind: /** @type {const} */ ("threshold"),
    title: "T",
    below: 0,
    for: 90,
    keep: 3600,
    no_data: 86_400,
  };
  assert.deepEqual(ruleOf(formOf(below), below), { ...below, on_no_data: "keep" });
});

test("a link fills fields of the form in, and no others", () => {
  const found = formFrom("topic=orders&limit=3&constructor=x&paused=1");
  assert.equal(found.topic, "orders");
  assert.equal(found.limit, "3");
  assert.deepEqual(Object.keys(found), Object.keys(EMPTY));
});

test("kinds of rules have the fields that the server takes", () => {
  assert.ok(has("absence", "absent") && !has("absence", "limit") && !has("threshold", "absent"));
});

test("a rule is drawn with its limit where the chart shows what it judges", () => {
  const [series] = cardOf({ topic: "cpu", field: "load", above: 90 }).series ?? [];
  assert.deepEqual(series, { topic: "cpu", agg: "max", field: "load" });
  assert.deepEqual(cardOf({ topic: "cpu", field: "load", above: 90 }).thresholds, [90]);
  assert.deepEqual(cardOf({ topic: "cpu", above: 90 }).thresholds, [], "the data is the value, which no chart shows");
  assert.deepEqual(cardOf({ topic: "cpu", kind: "rate", below: 2, window: 10 }).thresholds, [2]);
});
