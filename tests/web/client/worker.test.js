import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { answering, streaming } from "../answers.js";

test("a worker holds the connection that its name describes", async () => {
  const event = { topic: "a", offset: "e-1", type: "t", time: 0, data: 1 };
  const { url } = await answering(streaming(`data: ${JSON.stringify(event)}\nid: e-1\n\n`));
  const name = JSON.stringify({ base: url, version: "1" });
  const tab = new BroadcastChannel(name);
  const events = new Promise((resolve) => {
    tab.onmessage = (/** @type {any} */ { data }) => {
      if (data.hello) tab.postMessage({ from: "one", follow: { a: "e-0" } });
      if (data.events) resolve(data.events);
    };
  });
  const source = new URL("../../../src/tidings/web/client/worker.js", import.meta.url);
  const worker = new Worker(`globalThis.name = ${JSON.stringify(name)}; import(${JSON.stringify(source)})`, {
    eval: true,
  });
  assert.deepEqual(await events, [event]);
  tab.close();
  await worker.terminate();
});
