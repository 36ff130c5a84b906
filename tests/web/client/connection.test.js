import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Connection } from "../../../src/tidings/web/client/connection.js";
import { answering, json, streaming } from "../answers.js";

/** @type {(() => void)[]} */
const cleanups = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/** A connection, and a way to wait for its next message with a property. @param {string} url */
function connect(url) {
  /** @type {any[]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const send = (/** @type {any} */ message) => (sent.push(message), waiting.splice(0).forEach((look) => look()));
  const connection = new Connection({ base: url, retry: 1 }, "self", send);
  cleanups.push(() => connection.close());
  const next = async (/** @type {(message: any) => boolean} */ is) => {
    for (;;) {
      const at = sent.findIndex(is);
      if (at >= 0) return sent.splice(0, at + 1).at(-1);
      await new Promise((resolve) => waiting.push(() => resolve(undefined)));
    }
  };
  return { connection, next };
}

test("the stream begins at the earliest position of any tab, and follows the topics of all", async () => {
  const { url, requests } = await answering(streaming(":\n"));
  const { connection, next } = connect(url);
  connection.receive({ from: "one", follow: { a: "e-5" } });
  connection.receive({ from: "two", follow: { a: "e-2", b: "e-9" } });
  const { state } = await next(({ state }) => state?.phase === "open");
  assert.deepEqual([state.topics, state.tabs, state.by], [2, 2, "self"]);
  assert.equal(requests[0].headers["last-event-id"], "e-2~e-9");
  connection.receive({ from: "two", leave: true });
  await next(({ state }) => state?.phase === "connecting");
  await next(({ state }) => state?.phase === "open");
  assert.equal(requests[1].headers["last-event-id"], "e-2");
  connection.receive({ from: "one", unfollow: ["a"] });
  await next(({ state }) => state?.phase === "closed");
});

test("a refusal is due to the topic it names, and the others go on", async () => {
  const refusal = { title: "Forbidden", status: 403, detail: "You may not read b.", topic: "b" };
  const { url, requests } = await answering(json(403, refusal), streaming(":\n"));
  const { connection, next } = connect(url);
  connection.receive({ from: "one", follow: { a: "e-1", b: "e-1" } });
  const { refused } = await next(({ refused }) => refused);
  assert.deepEqual([refused.topics, refused.problem[2]], [["b"], "You may not read b."]);
  await next(({ state }) => state?.phase === "open");
  assert.match(String(requests[1].url), /topic=a&/);
  connection.close();
});

test("a tab whose topics have no place is told so", async () => {
  const { connection, next } = connect("http://127.0.0.1:9");
  const topics = (/** @type {number} */ from, /** @type {number} */ to) =>
    Object.fromEntries(Array.from({ length: to - from }, (_, n) => [`t${from + n}`, "e-0"]));
  connection.receive({ from: "one", follow: topics(0, 30) });
  connection.receive({ from: "two", follow: topics(30, 33) });
  assert.deepEqual(await next(({ alone }) => alone), { to: "two", alone: true });
  connection.close();
});
