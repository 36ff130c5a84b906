import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";

import { ORIGIN, Reset, Tidings } from "../../../src/tidings/web/client/index.js";
import { answering, json } from "../answers.js";

/** @type {(() => void)[]} */
const cleanups = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/**
 * The server's side of one event stream.
 * @typedef {object} Connection
 * @property {string[]} topics
 * @property {string} from
 * @property {(...blocks: string[]) => void} send
 * @property {() => void} cut
 * @property {Promise<unknown>} closed
 */

/** A server whose event streams the test writes by hand, in the order they are opened. */
async function serve() {
  /** @type {Connection[]} */
  const arrived = [];
  /** @type {((connection: Connection) => void)[]} */
  const waiting = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? "", "http://x").searchParams;
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    const connection = {
      topics: query.getAll("topic"),
      from: String(request.headers["last-event-id"]),
      send: (/** @type {string[]} */ ...blocks) => void response.write(blocks.join("")),
      cut: () => void response.destroy(),
      closed: new Promise((resolve) => response.on("close", resolve)),
    };
    const next = waiting.shift();
    if (next) next(connection);
    else arrived.push(connection);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  cleanups.push(() => (server.closeAllConnections(), server.close()));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const next = () =>
    /** @type {Promise<Connection>} */ (
      new Promise((resolve) =>
        arrived[0] ? resolve(/** @type {Connection} */ (arrived.shift())) : waiting.push(resolve),
      )
    );
  return { url: `http://127.0.0.1:${port}`, next };
}

/** @param {string} topic @param {number} n @param {string} id @param {number} [time] */
const event = (topic, n, id, time = Date.now() / 1000) =>
  `data: ${JSON.stringify({ topic, offset: `e-${n}`, type: "t", time, data: n })}\nid: ${id}\n\n`;

/** @param {string} topic @param {string} type @param {object} data @param {string} id */
const notice = (topic, type, data, id) =>
  `event: ${type}\ndata: ${JSON.stringify({ topic, offset: null, type, time: 0, data })}\nid: ${id}\n\n`;

/** A reader that lets the test wait for its n-th event. */
function reader() {
  /** @type {number[]} */
  const got = [];
  /** @type {Reset[]} */
  const resets = [];
  /** @type {{n: number, resolve: (value?: unknown) => void}[]} */
  const waits = [];
  let ended = false;
  const check = () => waits.forEach(({ n, resolve }) => got.length + resets.length + Number(ended) >= n && resolve());
  return {
    after: ORIGIN,
    got,
    resets,
    ended: () => ended,
    until: (/** @type {number} */ n) => new Promise((resolve) => (waits.push({ n, resolve }), check())),
    onEvents: (/** @type {{data: number}[]} */ events) => (got.push(...events.map(({ data }) => data)), check()),
    onReset: (/** @type {Reset} */ reset) => (resets.push(reset), check()),
    onEnd: () => ((ended = true), check()),
  };
}

/** @param {string} url @param {object} [options] */
function client(url, options) {
  const made = new Tidings(url, { retry: 1, ...options });
  cleanups.push(() => made.close());
  return made;
}

test("topics subscribed in one turn share one connection, each from its offset", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const [a, b] = [reader(), reader()];
  tidings.subscribe("a", a);
  tidings.subscribe("b", { ...b, after: "e-7" });
  const connection = await server.next();
  assert.deepEqual([connection.topics, connection.from], [["a", "b"], "0-0~e-7"]);
  connection.send(event("a", 1, "e-1~e-7"), event("b", 8, "e-1~e-8"), event("a", 2, "e-2~e-8"));
  await Promise.all([a.until(2), b.until(1)]);
  assert.deepEqual([a.got, b.got], [[1, 2], [8]]);
});

test("after a cut the connection resumes every topic at its position", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const [a, b] = [reader(), reader()];
  tidings.subscribe("a", a);
  tidings.subscribe("b", b);
  const first = await server.next();
  first.send(event("a", 1, "e-1~0-0"), event("b", 1, "e-1~e-1"));
  await Promise.all([a.until(1), b.until(1)]);
  first.cut();
  assert.equal((await server.next()).from, "e-1~e-1");
});

test("another set of topics makes a new connection and keeps the positions", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const a = reader();
  const followed = tidings.subscribe("a", a);
  const first = await server.next();
  assert.equal(first.from, "0-0");
  first.send(event("a", 1, "e-1"));
  await a.until(1);
  tidings.subscribe("b", { ...reader(), after: "e-5" });
  const second = await server.next();
  await first.closed;
  assert.deepEqual([second.topics, second.from], [["a", "b"], "e-1~e-5"]);
  followed.close();
  assert.equal(followed.position, "e-1");
  const third = await server.next();
  assert.deepEqual([third.topics, third.from], [["b"], "e-5"]);
});

test("a topic that ends calls its reader, and the next connection leaves it out", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const [a, b] = [reader(), reader()];
  tidings.subscribe("a", a);
  tidings.subscribe("b", b);
  const first = await server.next();
  first.send(event("a", 1, "e-1~0-0"), notice("a", "tidings.end", { topic: "a", offset: "e-1" }, "e-1~0-0"));
  await a.until(2);
  assert.ok(a.ended());
  tidings.subscribe("c", reader());
  assert.deepEqual((await server.next()).topics, ["b", "c"]);
});

test("a reset is reported in order, and the stream goes on after it", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const a = reader();
  tidings.subscribe("a", { ...a, after: "e-1" });
  const first = await server.next();
  first.send(
    notice("a", "tidings.reset", { topic: "a", reason: "trimmed", earliest: "e-9" }, "e-8"),
    event("a", 9, "e-9"),
  );
  await a.until(2);
  const told = a.resets.map(({ reason, earliest, position, offset }) => [reason, earliest, position, offset]);
  assert.deepEqual([told, a.got], [[["trimmed", "e-9", "e-1", "e-8"]], [9]]);
  first.cut();
  assert.equal((await server.next()).from, "e-9");
});

test("no connection is open while nothing is followed", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const followed = tidings.subscribe("a", reader());
  const first = await server.next();
  followed.close();
  await first.closed;
  while (tidings.connection.phase !== "closed") {
    await new Promise((resolve) => tidings.addEventListener("connection", resolve, { once: true }));
  }
});

test("the 33rd topic throws an error", () => {
  const tidings = client("http://127.0.0.1:1");
  for (let n = 0; n < 32; n += 1) tidings.subscribe(`t${n}`, reader());
  assert.throws(() => tidings.subscribe("one-more", reader()), /at most 32/);
});

test("two readers of one topic each get everything from their own offset, once", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const [early, late] = [reader(), reader()];
  tidings.subscribe("a", early);
  const first = await server.next();
  first.send(event("a", 1, "e-1"), event("a", 2, "e-2"));
  await early.until(2);
  tidings.subscribe("a", late);
  const second = await server.next();
  assert.equal(second.from, "0-0");
  second.send(event("a", 1, "e-1"), event("a", 2, "e-2"), event("a", 3, "e-3"));
  await Promise.all([early.until(3), late.until(3)]);
  assert.deepEqual(
    [early.got, late.got],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  );
});

test("late events of the old connection do not move a new reader's position", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const early = reader();
  tidings.subscribe("a", { ...early, after: "e-10" });
  const first = await server.next();
  for (let n = 11; n <= 20; n += 1) {
    first.send(event("a", n, `e-${n}`));
    await early.until(n - 10);
  }
  const late = reader();
  tidings.subscribe("a", late);
  const second = server.next();
  // As long as the old one is open.
  for (let n = 21, open = true; open; n += 1) {
    first.send(event("a", n, `e-${n}`));
    open = await Promise.race([first.closed.then(() => false), new Promise((resolve) => setImmediate(resolve, true))]);
  }
  assert.equal((await second).from, "0-0");
});

test("a reader ahead of the connection drops old events, and a level reader makes no new connection", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const [level, ahead] = [reader(), reader()];
  tidings.subscribe("a", { ...level, after: "e-4" });
  const only = await server.next();
  tidings.subscribe("a", { ...ahead, after: "e-5" });
  only.send(event("a", 5, "e-5"), event("a", 6, "e-6"));
  await Promise.all([level.until(2), ahead.until(1)]);
  assert.deepEqual([level.got, ahead.got], [[5, 6], [6]]);
});

test("events after a gap are requested again and not handed out", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const a = reader();
  tidings.subscribe("a", a);
  const first = await server.next();
  first.send(event("a", 1, "e-1"), event("a", 4, "e-4"), event("a", 5, "e-5"));
  const second = await server.next();
  assert.equal(second.from, "e-1");
  second.send(event("a", 2, "e-2"), event("a", 3, "e-3"));
  await a.until(3);
  assert.deepEqual(a.got, [1, 2, 3]);
});

test("a reset concerns only readers that have not read past it", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const [behind, past] = [reader(), reader()];
  tidings.subscribe("a", { ...past, after: "f-7" });
  await server.next();
  tidings.subscribe("a", { ...behind, after: "e-3" });
  const second = await server.next();
  assert.equal(second.from, "e-3");
  second.send(
    notice("a", "tidings.reset", { topic: "a", reason: "recreated", earliest: "f-6" }, "f-5"),
    ...[6, 7, 8].map((n) => event("a", n, `f-${n}`).replace('"e-', '"f-')),
  );
  await Promise.all([behind.until(4), past.until(1)]);
  assert.deepEqual([behind.resets.length, behind.got], [1, [6, 7, 8]]);
  assert.deepEqual([past.resets.length, past.got], [0, [8]]);
});

test("a reset is never silent: an iterator throws it, and callbacks need onReset", async () => {
  const server = await serve();
  const tidings = client(server.url);
  assert.throws(() => tidings.subscribe("a", { onEvents: () => {} }), /onReset/);
  const taken = (async () => {
    const got = [];
    try {
      for await (const { data } of tidings.subscribe("a", { after: "e-1" })) got.push(data);
    } catch (error) {
      assert.ok(error instanceof Reset);
      return [got, error.reason, error.offset];
    }
  })();
  (await server.next()).send(
    event("a", 2, "e-2"),
    notice("a", "tidings.reset", { topic: "a", reason: "trimmed", earliest: "e-9" }, "e-8"),
    event("a", 9, "e-9"),
  );
  assert.deepEqual(await taken, [[2], "trimmed", "e-8"]);
});

test("a slow iterator leaves the connection and later resumes at its position", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const events = tidings.subscribe("a", { after: ORIGIN })[Symbol.asyncIterator]();
  const one = events.next();
  const first = await server.next();
  for (let n = 1; n <= 1500; n += 1) first.send(event("a", n, `e-${n}`));
  assert.equal((await one).value?.data, 1);
  await first.closed;
  let last = 1;
  const rest = (async () => {
    while (last < 1600) assert.equal((await events.next()).value?.data, (last += 1));
  })();
  const second = await server.next();
  const from = Number(second.from.slice(2));
  assert.ok(from > 1000 && from <= 1500, second.from);
  for (let n = from + 1; n <= 1600; n += 1) second.send(event("a", n, `e-${n}`));
  await rest;
});

test("204 is the end of every topic", async () => {
  const gone = createServer((_, response) => void response.writeHead(204).end());
  await new Promise((resolve) => gone.listen(0, "127.0.0.1", () => resolve(undefined)));
  cleanups.push(() => gone.close());
  const { port } = /** @type {import("node:net").AddressInfo} */ (gone.address());
  for await (const _ of client(`http://127.0.0.1:${port}`).subscribe("a", { after: "e-7" })) assert.fail();
});

/**
 * Publish once, to a server that refuses five times, with every timer at its end at once.
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string>} headers of each refusal
 * @returns {Promise<number[]>} the waits, in milliseconds, of a coin that always falls on the same side
 */
async function waits(t, headers) {
  const { url } = await answering(...Array(5).fill(json(503, {}, headers)), json(201, { offset: "e-1" }));
  const real = globalThis.setTimeout;
  /** @type {number[]} */
  const waited = [];
  t.mock.method(Math, "random", () => 1);
  t.mock.method(
    globalThis,
    "setTimeout",
    (/** @type {any} */ over, /** @type {number} */ wait, /** @type {any} */ ...more) => {
      if (new Error().stack?.includes("attempts.js")) waited.push(wait);
      return real(over, 0, ...more);
    },
  );
  const tidings = new Tidings(url, { share: false });
  cleanups.push(() => tidings.close());
  await tidings.publish("a", "x");
  t.mock.restoreAll();
  return waited;
}

test("a publish that fails waits twice as long after each failure", async (t) => {
  assert.deepEqual(await waits(t, {}), [1250, 2250, 4250, 8250, 16_250]);
});

test("a publish that fails waits at least as long as the server asks", async (t) => {
  const waited = await waits(t, { "Retry-After": "7" });
  assert.deepEqual(
    waited.filter((wait) => wait === 7000),
    Array(5).fill(7000),
  );
});
