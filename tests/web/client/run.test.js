/** Runs of a real server. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Run, Tidings } from "../../../src/tidings/web/client/index.js";
import { serve, stopServers } from "../serving.js";

/** @type {Tidings} */
let tidings;
before(async () => (tidings = new Tidings(await serve())));
after(() => (tidings.close(), stopServers()));

test("a run is started once for a key, followed from its first event, and found again by its ID", async () => {
  const question = { assistant: "docs", input: "What is process mining?" };
  const run = await tidings.runs.start(question, { key: "one-run" });
  assert.ok(run instanceof Run);
  assert.equal((await tidings.runs.start(question, { key: "one-run" })).id, run.id);
  const types = [];
  for await (const { type } of tidings.runs.get(run.id)) types.push(type);
  assert.deepEqual([types[0], types.at(-1)], ["run.started", "run.finished"]);
  assert.equal((await run.state()).state, "finished");
  await run.stop();
});

test("a run is followed by callbacks, from any offset", async () => {
  const run = await tidings.runs.start({ assistant: "docs", input: "What is a topic?" });
  /** @type {string[]} */
  const types = [];
  await new Promise((resolve) =>
    run.follow({
      after: "earliest",
      onEvents: (events) => void types.push(...events.map(({ type }) => type)),
      onReset: () => assert.fail(),
      onEnd: () => resolve(undefined),
    }),
  );
  assert.equal(types[0], "run.started");
});

test("a refused start is a Problem", async () => {
  await assert.rejects(tidings.runs.start({ assistant: "nobody", input: "?" }), /nobody/);
});
