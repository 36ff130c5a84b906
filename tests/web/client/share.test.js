import assert from "node:assert/strict";
import { test } from "node:test";

import { host, join } from "../../../src/tidings/web/client/share.js";
import { answering, streaming } from "../answers.js";

const EVENT = { topic: "a", offset: "e-1", type: "t", time: 0, data: 1 };

/** A message that holds what is looked for. @param {BroadcastChannel} channel @param {string} property */
const message = (channel, property) =>
  new Promise((resolve) => (channel.onmessage = (/** @type {any} */ { data }) => property in data && resolve(data)));

test("a holder greets the tabs, and sends them the events that they follow", async () => {
  const { url, requests } = await answering(streaming(`data: ${JSON.stringify(EVENT)}\nid: e-1\n\n`));
  const name = `share ${url}`;
  const tab = new BroadcastChannel(name);
  const hello = message(tab, "hello");
  const end = host({ base: url }, "tab", name);
  await hello;
  const events = message(tab, "events");
  tab.postMessage({ from: "one", follow: { a: "e-0" } });
  assert.deepEqual((await events).events, [EVENT]);
  assert.match(String(requests[0].url), /topic=a/);
  end();
  tab.close();
});

test("each client has its own connection where no holder is possible", async () => {
  const { url } = await answering(streaming(`data: ${JSON.stringify(EVENT)}\nid: e-1\n\n`));
  /** @type {(message: any) => void} */
  let take = () => {};
  const received = new Promise((resolve) => (take = resolve));
  const seat = join({ base: url }, true, (message) => message.events && take(message));
  assert.equal(seat.shared, false);
  seat.send({ follow: { a: "e-0" } });
  assert.deepEqual((await received).events, [EVENT]);
  seat.leave();
});
