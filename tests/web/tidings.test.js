import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";

import { Tidings } from "../../src/tidings/web/client/index.js";

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
  /** @type {unknown[]} */
  const resets = [];
  /** @type {{n: number, resolve: (value?: unknown) => void}[]} */
  const waits = [];
  let ended = false;
  const check = () => waits.forEach(({ n, resolve }) => got.length + resets.length + Number(ended) >= n && resolve());
  return {
    got,
    resets,
    ended: () => ended,
    until: (/** @type {number} */ n) => new Promise((resolve) => (waits.push({ n, resolve }), check())),
    onEvents: (/** @type {{data: number}[]} */ events) => (got.push(...events.map(({ data }) => data)), check()),
    onReset: (/** @type {unknown} */ reset) => (resets.push(reset), check()),
    onEnd: () => ((ended = true), check()),
  };
}

/** @param {string} url @param {object} [options] */
function client(url, options) {
  const made = new Tidings(url, { retry: 1, ...options });
  cleanups.push(() => ["a", "b", "c"].forEach((topic) => made.unsubscribe(topic)));
  return made;
}

test("topics subscribed in one turn share one connection, each from its offset", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const [a, b] = [reader(), reader()];
  tidings.subscribe("a", a);
  tidings.subscribe("b", b, "e-7");
  const connection = await server.next();
  assert.deepEqual([connection.topics, connection.from], [["a", "b"], "0-0~e-7"]);
  connection.send(event("a", 1, "e-1~e-7"), event("b", 8, "e-1~e-8"), event("a", 2, "e-2~e-8"));
  await Promise.all([a.until(2), b.until(1)]);
  assert.deepEqual([a.got, b.got], [[1, 2], [8]]);
});

test("a cut connection goes on where every topic was", async () => {
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

test("a changed set is a new connection that keeps the offsets", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const a = reader();
  tidings.subscribe("a", a);
  const first = await server.next();
  assert.equal(first.from, "0-0");
  first.send(event("a", 1, "e-1"));
  await a.until(1);
  tidings.subscribe("b", reader(), "e-5");
  const second = await server.next();
  await first.closed;
  assert.deepEqual([second.topics, second.from], [["a", "b"], "e-1~e-5"]);
  assert.equal(tidings.unsubscribe("a"), "e-1");
  const third = await server.next();
  assert.deepEqual([third.topics, third.from], [["b"], "e-5"]);
});

test("a topic that ends is left out of the next connection, and tells its reader", async () => {
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

test("lost events are told, in order, and the stream goes on from there", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const a = reader();
  tidings.subscribe("a", a, "e-1");
  const first = await server.next();
  first.send(
    notice("a", "tidings.reset", { topic: "a", reason: "trimmed", earliest: "e-9" }, "e-8"),
    event("a", 9, "e-9"),
  );
  await a.until(2);
  assert.deepEqual([a.resets, a.got], [[{ reason: "trimmed", earliest: "e-9" }], [9]]);
  first.cut();
  assert.equal((await server.next()).from, "e-9");
});

test("what happened while the connection was broken counts as replayed, what came live does not", async () => {
  const server = await serve();
  const tidings = client(server.url);
  const a = reader();
  tidings.subscribe("a", a);
  const first = await server.next();
  first.send(event("a", 1, "e-1"));
  await a.until(1);
  first.cut();
  const second = await server.next();
  const ago = Date.now() / 1000 - 60;
  second.send(event("a", 2, "e-2", ago), event("a", 3, "e-3", ago), event("a", 4, "e-4", Date.now() / 1000 + 60));
  await a.until(4);
  assert.equal(tidings.connection.replayed, 2);
});

test("no connection is open while nothing is followed", async () => {
  const server = await serve();
  const tidings = client(server.url);
  tidings.subscribe("a", reader());
  const first = await server.next();
  tidings.unsubscribe("a");
  await first.closed;
  assert.equal(tidings.connection.phase, "closed");
});

test("the 33rd topic is refused aloud", () => {
  const tidings = client("http://127.0.0.1:1");
  for (let n = 0; n < 32; n += 1) tidings.subscribe(`t${n}`, reader());
  assert.throws(() => tidings.subscribe("one-more", reader()), /at most 32/);
  for (let n = 0; n < 32; n += 1) tidings.unsubscribe(`t${n}`);
});
