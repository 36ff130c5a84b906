import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionOf, entryOf, previewed, span } from "../../../../src/tidings/web/ui/alerts/words-fold.js";

const plain = (/** @type {string} */ text) => text.replaceAll("\u00a0", " ");

test("a time is written in its largest whole unit", () => {
  assert.deepEqual(
    [90, 60, 300, 7200, 86_400, 0.5].map((seconds) => plain(span(seconds))),
    ["90 s", "1 min", "5 min", "2 h", "1 d", "0.5 s"],
  );
});

test("a condition is a clause", () => {
  const of = (/** @type {any} */ rule) => plain(conditionOf({ topic: "t", ...rule }));
  assert.equal(of({ field: "load", above: 90, for: 60, by: "host" }), "load above 90 for 1 min, for each host");
  assert.equal(of({ below: 0 }), "the data below 0");
  assert.equal(of({ field: "ms", above: 60, window: 10, agg: "p99" }), "99th percentile of ms above 60 over 10 s");
  assert.equal(of({ kind: "rate", above: 2, window: 10 }), "events per second above 2 over 10 s");
  assert.equal(of({ kind: "absence", absent: 30 }), "no event for 30 s");
  assert.equal(of({ kind: "deviation", by: "kind", above: 0, window: 3600 }), "cases that deviate above 0 over 1 h");
});

test("an entry of the history is said in words", () => {
  const changed = { was: "pending", state: "firing", value: 97, limit: 90, instance: "web-1" };
  assert.deepEqual(entryOf({ type: "alert.changed", fact: changed }), {
    what: "web-1: pending to firing",
    about: "97, limit 90",
  });
  assert.deepEqual(entryOf({ type: "alert.changed", fact: { was: "firing", state: "normal", reason: "paused" } }), {
    what: "firing to normal",
    about: "paused",
  });
  assert.deepEqual(
    entryOf({ type: "alert.acknowledged", fact: { by: "Mara", note: "Looking" } }).about,
    "by Mara: Looking",
  );
  assert.equal(
    entryOf({ type: "alert.notice", fact: { kind: "fired", instances: [{ instance: "a" }], more: 4 } }).about,
    "a and 4 more",
  );
  assert.equal(entryOf({ type: "rule.saved", fact: { by: "", rule: {} } }).what, "Rule saved");
});

test("a preview says how often, and what it did not judge", () => {
  const found = { fired: 2, events: 10, bad: 3, complete: true };
  assert.equal(previewed(found), "In the last 24 hours it would have fired 2 times. 3 of 10 events had no number.");
  assert.equal(previewed({ ...found, fired: 0, bad: 0 }), "In the last 24 hours it would have fired not at all.");
  assert.equal(
    previewed({ ...found, fired: 1, bad: 0, complete: false }),
    "In the last 100,000 events it would have fired once.",
  );
  assert.equal(previewed({ ...found, events: 0 }), "The topic had no event in the last 24 hours.");
});
