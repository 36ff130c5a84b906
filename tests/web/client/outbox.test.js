import assert from "node:assert/strict";
import { test } from "node:test";

import { Problem, Unreachable } from "../../../src/tidings/web/client/http.js";
import { isTemporary, Outbox } from "../../../src/tidings/web/client/outbox.js";

/** A box whose sends the test answers by hand, in order. @param {object} [options] */
function box(options) {
  /** @type {{key: string, resolve: (answer?: unknown) => void, reject: (error: Error) => void}[]} */
  const sends = [];
  const made = new Outbox({
    send: ({ key }) => new Promise((resolve, reject) => sends.push({ key, resolve, reject })),
    wait: () => Promise.resolve(),
    ...options,
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { box: made, sends, settled, keys: () => sends.map(({ key }) => key) };
}

test("a lane is sent in order, one after the other, and lanes do not wait for each other", async () => {
  const { box: all, sends, settled, keys } = box();
  for (const [key, lane] of [
    ["1", "a"],
    ["2", "a"],
    ["3", "b"],
  ])
    all.put({ key, lane });
  assert.deepEqual(keys(), ["1", "3"]);
  sends[0].resolve();
  await settled();
  assert.deepEqual(keys(), ["1", "3", "2"]);
  assert.deepEqual(
    all.pending.map(({ key }) => key),
    ["2", "3"],
  );
});

test("a send that was not answered is repeated; a refused one stays, and its lane waits", async () => {
  const { box: all, sends, settled, keys } = box();
  all.put({ key: "1", lane: "a" });
  all.put({ key: "2", lane: "a" });
  sends[0].reject(new Unreachable());
  await settled();
  assert.deepEqual(keys(), ["1", "1"]);
  sends[1].reject(new Problem(403, "No", "You may not."));
  await settled();
  assert.deepEqual(keys(), ["1", "1"]);
  assert.equal(all.pending[0].refused, "You may not.");
  all.retry("1");
  assert.deepEqual(keys(), ["1", "1", "1"]);
});

test("waits for a server in trouble are counted, and the count starts again with an answer", async () => {
  /** @type {number[]} */
  const failures = [];
  const wait = async (/** @type {number} */ n) => void failures.push(n);
  const { box: all, sends, settled } = box({ wait });
  all.put({ key: "1", lane: "a" });
  for (const n of [0, 1]) {
    sends[n].reject(new Problem(503, "Busy", ""));
    await settled();
  }
  sends[2].resolve();
  await settled();
  all.put({ key: "2", lane: "a" });
  sends[3].reject(new Unreachable());
  await settled();
  assert.deepEqual(failures, [1, 2, 1]);
});

test("a caller gets the answer or the refusal, and its send leaves the box", async () => {
  const { box: all, sends } = box();
  const good = all.deliver({ key: "1", lane: "a" });
  const bad = all.deliver({ key: "2", lane: "b" });
  const gone = all.deliver({ key: "3", lane: "c" });
  sends[0].resolve("stored");
  sends[1].reject(new Problem(400, "No", ""));
  all.discard("3");
  assert.equal(await good, "stored");
  await assert.rejects(bad, Problem);
  await assert.rejects(gone, /discarded/);
  assert.deepEqual(all.pending, []);
});

test("an item that is not ready waits until it is pumped", () => {
  let ready = false;
  const { box: all, keys } = box({ ready: () => ready });
  all.put({ key: "1", lane: "a" });
  assert.deepEqual(keys(), []);
  ready = true;
  all.pump();
  assert.deepEqual(keys(), ["1"]);
});

test("a waiting item is stored as long as it waits, and a failing store is done without", () => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = {
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ text) => void kept.set(name, text),
    removeItem: (/** @type {string} */ name) => void kept.delete(name),
  };
  const { box: all } = box({ storage, name: "box", ready: () => false });
  all.put({ key: "1", lane: "a" });
  assert.deepEqual(JSON.parse(kept.get("box") ?? ""), [{ key: "1", lane: "a" }]);
  assert.equal(box({ storage, name: "box", ready: () => false }).box.pending.length, 1);
  all.discard("1");
  assert.equal(kept.size, 0);
  const full = { ...storage, setItem: () => assert.fail("full") };
  const { box: other } = box({ storage: full, name: "box", ready: () => false });
  other.put({ key: "1", lane: "a" });
  assert.equal(other.pending.length, 1);
});

test("only trouble of the network and of the server is temporary", () => {
  const errors = [new Unreachable(), ...[500, 503, 429, 400, 403, 409].map((status) => new Problem(status, "", ""))];
  assert.deepEqual(errors.map(isTemporary), [true, true, true, true, false, false, false]);
});
