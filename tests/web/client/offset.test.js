import assert from "node:assert/strict";
import { test } from "node:test";

import { concerns, order, ORIGIN, startOf } from "../../../src/tidings/web/client/offset.js";

test("an offset is the next one, an old one, or leaves a gap", () => {
  assert.equal(order("e-4", "e-5"), "next");
  assert.equal(order("e-4", "e-4"), "old");
  assert.equal(order("e-4", "e-6"), "gap");
  assert.equal(order("e-9", "e-10"), "next");
  assert.equal(order("e-4", "f-5"), "gap");
  assert.equal(order(ORIGIN, "f-1"), "next");
  assert.equal(order(ORIGIN, "f-2"), "gap");
  assert.equal(order("a-b-4", "a-b-5"), "next");
});

test("a reset concerns readers that have not read past it, and all when the log went back", () => {
  const reset = (/** @type {string} */ reason, /** @type {string} */ was, /** @type {string} */ at) =>
    /** @type {any} */ ({ was, at, data: { reason } });
  assert.equal(concerns("e-3", reset("trimmed", "e-2", "e-8")), true);
  assert.equal(concerns("e-9", reset("trimmed", "e-2", "e-8")), false);
  assert.equal(concerns("e-8", reset("trimmed", "e-2", "e-8")), false);
  assert.equal(concerns("e-9", reset("recreated", "e-9", "f-0")), true);
  assert.equal(concerns("e-9", reset("recreated", "e-20", "e-8")), true);
});

test("a topic begins at its earliest event, at its tail, or some events before that", () => {
  const topic = { epoch: "e", earliest: "e-11", tail: "e-20" };
  assert.equal(startOf(topic, "earliest"), "e-10");
  assert.equal(startOf(topic, "tail"), "e-20");
  assert.equal(startOf(topic, -3), "e-17");
  assert.equal(startOf(topic, "-3"), "e-17");
  assert.equal(startOf(topic, -300), "e-10");
});
