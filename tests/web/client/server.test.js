/** The client and a real server, with a network between them that misbehaves. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { Problem, Tidings } from "../../../src/tidings/web/client/index.js";
import { startProxy, stopAll } from "../processes.js";
import { SECRET, serve, stopServers, token } from "../serving.js";

/** @type {string} */
let url;
/** @type {Awaited<ReturnType<typeof startProxy>>} */
let proxy;
before(async () => {
  url = await serve();
  proxy = await startProxy(url);
});
after(() => (stopAll(), stopServers()));

/** @type {Tidings[]} */
const clients = [];
afterEach(async () => {
  clients.splice(0).forEach((client) => client.close());
  await proxy.tell("now pass");
});

/** @param {string} base @param {import("../../../src/tidings/web/client/index.js").Options} [options] */
function client(base, options) {
  const made = new Tidings(base, { retry: 1, ...options });
  clients.push(made);
  // Whatever the server asks for: a test does not wait.
  made.addEventListener("connection", () => made.connection.phase === "waiting" && made.reconnect());
  return made;
}

let topics = 0;
const newTopic = () => `tests.t${(topics += 1)}`;

/** @param {AsyncIterable<{data: any}>} events @param {number} count */
async function take(events, count) {
  const got = [];
  for await (const { data } of events) if (got.push(data) === count) break;
  return got;
}

/** @param {number} from @param {number} to */
const range = (from, to) => Array.from({ length: to - from }, (_, n) => from + n);

/** @param {Tidings} at @param {string} topic @param {number[]} numbers */
const publishAll = (at, topic, numbers) => Promise.all(numbers.map((n) => at.publish(topic, n)));

for (const behaviour of ["pass", "bytes", "cut 3000", "cut 3000 fin", "cut 333"]) {
  test(`every event comes once and in order while every connection does: ${behaviour}`, async () => {
    const topic = newTopic();
    const direct = client(url);
    await publishAll(direct, topic, range(0, 100));
    await proxy.tell(`now ${behaviour}`);
    const taken = take(client(proxy.url).subscribe(topic, { after: "earliest" }), 200);
    await publishAll(direct, topic, range(100, 200));
    assert.deepEqual(await taken, range(0, 200));
  });
}

for (const after of [-3, "-3", -1000]) {
  test(`a subscription begins with the last events, or with all where there are fewer: ${after}`, async () => {
    const topic = newTopic();
    const direct = client(url);
    for (const n of range(0, 5)) await direct.publish(topic, n);
    await proxy.tell("next cut 0");
    const got = [];
    for await (const { data } of client(proxy.url).subscribe(topic, { after })) {
      if (got.push(data) === 1) await direct.publish(topic, 5);
      if (data === 5) break;
    }
    assert.deepEqual(got, range(after === -1000 ? 0 : 2, 6));
  });
}

test("the client reconnects after stalls, gateway errors and refused connections", async () => {
  const [one, other] = [newTopic(), newTopic()];
  const direct = client(url);
  for (const trouble of ["html", "stall 500", "cut 0", "swallow", "html", "stall 0"])
    await proxy.tell(`next ${trouble}`);
  const through = client(proxy.url, { silence: 500 });
  const taken = Promise.all([
    take(through.subscribe(one, { after: "earliest" }), 60),
    take(through.subscribe(other, { after: "earliest" }), 60),
  ]);
  for (const from of [0, 20, 40]) {
    await publishAll(direct, one, range(from, from + 20));
    await publishAll(direct, other, range(from, from + 20));
    await proxy.tell("now refuse");
    await proxy.tell("now pass");
  }
  assert.deepEqual(await taken, [range(0, 60), range(0, 60)]);
});

test("events published while the server is away are stored once and in order", async () => {
  const topic = newTopic();
  const through = client(proxy.url, { silence: 500 });
  await proxy.tell("now refuse");
  const sent = publishAll(through, topic, range(0, 10));
  assert.equal(through.outbox.pending.length, 10);
  await proxy.tell("now html");
  await proxy.tell("now pass");
  // Stored, and the answer is lost.
  for (const trouble of ["cut 0", "cut 3", "swallow"]) await proxy.tell(`next ${trouble}`);
  const offsets = (await sent).map((done) => Number(done?.offset.split("-")[1]));
  assert.deepEqual(offsets, range(1, 11));
  assert.deepEqual(await take(client(url).subscribe(topic, { after: "earliest" }), 10), range(0, 10));
});

test("pending events outlive a reload if there is a storage", async () => {
  const topic = newTopic();
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = {
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ text) => void kept.set(name, text),
    removeItem: (/** @type {string} */ name) => void kept.delete(name),
  };
  await proxy.tell("now refuse");
  const before = client(proxy.url, { storage });
  for (const n of range(0, 3)) before.publish(topic, n).catch(() => {});
  before.close();
  assert.equal(JSON.parse([...kept.values()][0]).length, 3);
  await proxy.tell("now pass");
  const reloaded = client(proxy.url, { storage });
  assert.deepEqual(await take(reloaded.subscribe(topic, { after: "earliest" }), 3), [0, 1, 2]);
  while (kept.size > 0)
    await new Promise((resolve) => reloaded.outbox.addEventListener("change", resolve, { once: true }));
});

test("a refused event rejects its promise and does not block later ones", async () => {
  const topic = newTopic();
  const direct = client(url);
  const refused = direct.publish(topic, 1, { type: "tidings.mine" });
  const good = direct.publish(topic, 2);
  await assert.rejects(refused, (error) => error instanceof Problem && error.status === 400);
  assert.equal((await good)?.offset.split("-")[1], "1");
  assert.deepEqual(direct.outbox.pending, []);
});

test("a refused topic gets its error, and other topics go on", async () => {
  const server = await serve({ TIDINGS_SECRET: SECRET });
  const made = client(server, { token: () => token(3600, ["tests.*"]) });
  const good = take(made.subscribe("tests.a", { after: "earliest" }), 2);
  await made.publish("tests.a", 1);
  await assert.rejects(
    take(made.subscribe("secret", { after: "earliest" }), 1),
    (error) => error instanceof Problem && error.status === 403 && error.message.includes("secret"),
  );
  await assert.rejects(
    take(made.subscribe("not a topic", { after: "earliest" }), 1),
    (error) => error instanceof Problem,
  );
  /** @type {Error} */
  const told = await new Promise((resolve) => {
    made.subscribe("secret", { after: "earliest", onEvents: () => {}, onReset: () => {}, onError: resolve });
  });
  assert.match(told.message, /secret/);
  await made.publish("tests.a", 2);
  assert.deepEqual(await good, [1, 2]);
});

test("a transient event reaches present readers and no later ones", async () => {
  const topic = newTopic();
  const direct = client(url);
  const events = direct.subscribe(topic, { after: "earliest" })[Symbol.asyncIterator]();
  await direct.publish(topic, "stored");
  assert.equal((await events.next()).value?.data, "stored");
  await direct.publish(topic, "gone", { transient: true });
  const { value } = await events.next();
  assert.deepEqual([value?.data, value?.offset], ["gone", null]);
  await direct.publish(topic, "last");
  assert.deepEqual(await take(direct.subscribe(topic, { after: "earliest" }), 2), ["stored", "last"]);
});

test("a run is started once, followed to its end through cuts, and stopped", async () => {
  const through = client(proxy.url);
  for (const trouble of ["cut 0", "html", "pass"]) await proxy.tell(`next ${trouble}`);
  const run = await through.runs.start({ assistant: "docs", input: "What is process mining?" });
  await proxy.tell("now cut 5000");
  const types = [];
  let text = "";
  for await (const { type, data } of run) {
    types.push(type);
    if (type === "block.delta" && data.kind === "text") text += data.delta;
  }
  await proxy.tell("now pass");
  assert.equal(types[0], "run.started");
  assert.equal(types.at(-1), "run.finished");
  assert.ok(text.length > 100);
  assert.equal((await run.state()).state, "finished");

  const stopped = await through.runs.start({ assistant: "docs", input: "What is process mining?" });
  await stopped.stop();
  let last;
  for await (const event of through.runs.get(stopped.id)) last = event;
  assert.equal(last?.type, "run.finished");
});

test("a token is replaced before it expires, and every position is kept", async () => {
  const server = await serve({ TIDINGS_SECRET: SECRET });
  let asked = 0;
  const made = client(server, { token: async () => token([2, 3, 3600][Math.min(asked++, 2)]) });
  const phases = new Set();
  made.addEventListener("connection", () => phases.add(made.connection.phase));
  const got = [];
  void made.publish("tests.a", 0);
  for await (const { data } of made.subscribe("tests.a", { after: "earliest" })) {
    got.push(data);
    if (asked === 3 && data > 20) break;
    setTimeout(() => void made.publish("tests.a", data + 1), 50);
  }
  assert.deepEqual(got, range(0, got.length));
  assert.ok(!phases.has("waiting"), "no connection was ended by the server");
});

test("a refused token is replaced once, and a second refusal is a problem", async () => {
  const server = await serve({ TIDINGS_SECRET: SECRET });
  const made = client(server, {
    token: (() => {
      let n = 0;
      return () => ["not a token", token(3600)][Math.min(n++, 1)];
    })(),
  });
  const taken = take(made.subscribe("tests.a", { after: "earliest" }), 1);
  await made.publish("tests.a", 1);
  assert.deepEqual(await taken, [1]);
  const wrong = client(server, { token: () => "never a token" });
  await assert.rejects(
    take(wrong.subscribe("tests.a", { after: "earliest" }), 1),
    (error) => error instanceof Problem && error.status === 401,
  );
  await assert.rejects(wrong.publish("tests.a", 1), (error) => error instanceof Problem && error.status === 401);
});
