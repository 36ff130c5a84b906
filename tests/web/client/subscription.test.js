import assert from "node:assert/strict";
import { test } from "node:test";

import { Subscription } from "../../../src/tidings/web/client/subscription.js";

/** A connection that notes what it is asked, and locates every topic at e-5. */
function port() {
  /** @type {unknown[]} */
  const asked = [];
  return {
    asked,
    locate: async (/** @type {string} */ topic, /** @type {string | number} */ after) => (asked.push(after), "e-5"),
    follow: (/** @type {Subscription} */ { position }) => void asked.push(`follow ${position}`),
    leave: () => void asked.push("leave"),
  };
}

const callbacks = { onEvents: () => {}, onReset: () => {} };
const event = (/** @type {number} */ n, type = "t") => ({ topic: "a", offset: `e-${n}`, type, time: 0, data: n });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("following begins at the tail, unless it is told where", async () => {
  for (const [after, asked] of /** @type {[any, unknown[]][]} */ ([
    [undefined, ["tail", "follow e-5"]],
    ["tail", ["tail", "follow e-5"]],
    ["earliest", ["earliest", "follow e-5"]],
    [-3, [-3, "follow e-5"]],
    ["e-7", ["follow e-7"]],
  ])) {
    const connection = port();
    new Subscription("a", { ...callbacks, after }, connection);
    await settled();
    assert.deepEqual(connection.asked, asked);
  }
});

test("a place to begin that is none is refused, and so are callbacks without onReset", () => {
  for (const after of ["latest", "", "5", 5, 0, 1.5, "e-", "e-7~f-1"])
    assert.throws(() => new Subscription("a", { after }, port()), /place to begin/);
  assert.throws(() => new Subscription("a", { onEvents: () => {} }, port()), /onReset/);
});

test("a gap is asked for once, and its events come once", () => {
  const connection = port();
  /** @type {number[]} */
  const got = [];
  const onEvents = (/** @type {any[]} */ events) => void got.push(...events.map(({ data }) => data));
  const reader = new Subscription("a", { ...callbacks, onEvents, after: "e-0" }, connection);
  reader.take([event(1), event(3), event(4)]);
  reader.take([event(2), event(3), event(4), event(2)]);
  assert.deepEqual(got, [1, 2, 3, 4]);
  assert.deepEqual(connection.asked, ["follow e-0", "follow e-1"]);
  assert.equal(reader.position, "e-4");
});

test("a redacted event has its place among the others, and its announcement has none", () => {
  const connection = port();
  /** @type {unknown[]} */
  const got = [];
  const onEvents = (/** @type {any[]} */ events) => void got.push(...events.map(({ type, offset }) => [type, offset]));
  const reader = new Subscription("a", { ...callbacks, onEvents, after: "e-0" }, connection);
  reader.take([event(1), event(2, "tidings.redacted"), event(3)]);
  reader.take([{ ...event(1, "tidings.redacted"), offset: null }, event(4)]);
  assert.deepEqual(got, [
    ["t", "e-1"],
    ["tidings.redacted", "e-2"],
    ["t", "e-3"],
    ["tidings.redacted", null],
    ["t", "e-4"],
  ]);
  assert.deepEqual(connection.asked, ["follow e-0"]);
});

test("a subscription that is closed before its place is found follows nothing", async () => {
  const connection = port();
  const reader = new Subscription("a", callbacks, connection);
  reader.close();
  await settled();
  assert.ok(!connection.asked.includes("follow e-5"));
});

test("a place that is refused ends the subscription with the error", async () => {
  const refused = { ...port(), locate: () => Promise.reject(new Error("You may not.")) };
  const error = await new Promise((resolve) => new Subscription("a", { ...callbacks, onError: resolve }, refused));
  assert.equal(error.message, "You may not.");
  const taken = new Subscription("a", {}, refused)[Symbol.asyncIterator]().next();
  await assert.rejects(taken, /You may not/);
});

test("a second iteration of one subscription is refused", async () => {
  const reader = new Subscription("a", { after: "e-0" }, port());
  void reader[Symbol.asyncIterator]().next();
  await assert.rejects(reader[Symbol.asyncIterator]().next(), /being read already/);
});
