import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { EventSource } from "../../../src/tidings/web/client/eventsource.js";
import { follow } from "../follow.js";
import { startApp, startProxy, stopAll } from "../processes.js";

const CLIENT = new URL("../../../src/tidings/web/client/eventsource.js", import.meta.url).href;
const misbehaviours = JSON.parse(readFileSync(new URL("../misbehaviours.json", import.meta.url), "utf8"));
const vectors = JSON.parse(readFileSync(new URL("../../wire/vectors/sse.json", import.meta.url), "utf8"));

/** @type {string} */
let app;
/** @type {Awaited<ReturnType<typeof startProxy>>} */
let proxy;
before(async () => {
  app = await startApp();
  proxy = await startProxy(app);
  const body = Array.from({ length: 300 }, (_, n) => JSON.stringify({ data: `${n} €豆腐` })).join("\n");
  const headers = { "Content-Type": "application/x-ndjson" };
  assert.equal((await fetch(`${app}/topics/numbers/events`, { method: "POST", body, headers })).status, 201);
});
after(stopAll);
beforeEach(() => proxy.tell("now pass"));

const numbers = Array.from({ length: 300 }, (_, n) => `${n} €豆腐`);

for (const { name, behaviours, errors } of misbehaviours) {
  test(`every event once and in order, over ${name}`, async () => {
    for (const behaviour of behaviours) await proxy.tell(`next ${behaviour}`);
    const url = `${proxy.url}/events?topic=numbers&from=earliest`;
    const followed = await follow({
      client: CLIENT,
      url,
      last: numbers[299],
      options: { patient: true, silence: 500 },
    });
    assert.deepEqual(followed.data, numbers);
    assert.equal(followed.origin, proxy.url);
    assert.ok(followed.errors >= errors, `${followed.errors}`);
  });
}

test("a missing server is tried again until it is there", async () => {
  await proxy.tell("now refuse");
  const source = open(`${proxy.url}/events?topic=numbers&from=earliest`);
  await event(source, "error");
  await event(source, "error");
  assert.equal(source.readyState, EventSource.CONNECTING);
  const first = event(source, "message");
  await proxy.tell("now pass");
  assert.equal((await first).data, numbers[0]);
});

test("a request has the method, headers and body, and the last event ID as UTF-8", async () => {
  let asked = 0;
  const source = open(`${app}/echo`, {
    method: "POST",
    body: "the question",
    headers: async () => ({ Authorization: `Bearer ${(asked += 1)}`, "X-Own": "1" }),
    lastEventId: "é-0",
  });
  for (const [token, id] of [
    ["Bearer 1", "é-0"],
    ["Bearer 2", "é豆"],
    ["Bearer 3", "é豆"],
  ]) {
    const { data, lastEventId } = await event(source, "message");
    const { method, headers, body } = JSON.parse(data);
    assert.deepEqual([method, body, headers["x-own"]], ["POST", "the question", "1"]);
    assert.deepEqual([headers.accept, headers.authorization], ["text/event-stream", token]);
    assert.equal(Buffer.from(headers["last-event-id"], "latin1").toString(), id);
    assert.equal(lastEventId, "é豆");
  }
});

/** @type {(() => void)[]} */
const cleanups = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/** @param {ConstructorParameters<typeof EventSource>} asked */
function open(...asked) {
  const source = new EventSource(...asked);
  cleanups.push(() => source.close());
  return source;
}

/** @param {EventTarget} source @param {string} type @returns {Promise<any>} the next one */
const event = (source, type) => new Promise((resolve) => source.addEventListener(type, resolve, { once: true }));

/**
 * A server that answers the n-th request with the n-th of `answers`, then with 204.
 * @param {((response: import("node:http").ServerResponse) => void)[]} answers
 */
async function serve(...answers) {
  /** @type {import("node:http").IncomingMessage[]} */
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request);
    (answers[asked.length - 1] ?? ((response) => void response.writeHead(204).end()))(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  cleanups.push(() => (server.closeAllConnections(), server.close()));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, asked };
}

/** @param {string | Uint8Array} text @param {boolean} [end] @param {string} [type] */
const stream =
  (text, end = true, type = "text/event-stream") =>
  (/** @type {import("node:http").ServerResponse} */ response) => {
    response.writeHead(200, { "Content-Type": type });
    response.write(text);
    if (end) response.end();
  };

test("every vector comes out as events, in one write and byte by byte", async () => {
  const whole = vectors.map(({ text, base64 }) => (text === undefined ? Buffer.from(base64, "base64") : text));
  for (const bytewise of [false, true]) {
    for (const [n, vector] of vectors.entries()) {
      /** @type {any[]} */
      const events = [];
      const { url } = await serve(bytewise ? written(whole[n]) : stream(whole[n]));
      const source = open(url);
      const dispatch = source.dispatchEvent.bind(source);
      source.dispatchEvent = (event) => {
        if ("data" in event) events.push(event);
        return dispatch(event);
      };
      await event(source, "error"); // the end of the stream
      source.close();
      assert.deepEqual(
        events.map(({ type, data, lastEventId }) => ({ type, data, id: lastEventId })),
        vector.events.map(({ type, data, id }) => ({ type, data, id })),
        vector.name,
      );
    }
  }
});

test("events have the properties of the standard", async () => {
  const { url } = await serve(stream("event: add\nid: 7\ndata: x\n\ndata: y\n\n", false));
  const source = open(url, { withCredentials: true });
  assert.deepEqual(
    [source.url, source.withCredentials, source.readyState, source.onmessage],
    [url, true, EventSource.CONNECTING, null],
  );
  const opened = await event(source, "open");
  assert.deepEqual([opened.constructor, source.readyState], [Event, source.OPEN]);
  const added = await event(source, "add");
  assert.ok(added instanceof MessageEvent);
  assert.deepEqual([added.data, added.lastEventId, added.origin], ["x", "7", new URL(url).origin]);
});

test("handlers get the EventSource as this, keep their place, and are removed by null", async () => {
  const { url } = await serve(stream("data: 1\n\ndata: 2\n\n"), stream("data: 3\n\n"));
  const source = open(url);
  /** @type {unknown[]} */
  const told = [];
  source.onmessage = () => told.push("never");
  source.addEventListener("message", () => told.push("listener"));
  source.onmessage = function () {
    told.push(this === source);
    source.onmessage = null;
  };
  await event(source, "error");
  assert.deepEqual(told, [true, "listener", "listener"]);
});

test("no event fires after close(), within a chunk or between chunks", async () => {
  const { url } = await serve(stream("data: 1\n\ndata: 2\n\n", false));
  const source = open(url);
  let fired = 0;
  for (const type of ["message", "error"]) source.addEventListener(type, () => (fired += 1));
  source.addEventListener("message", () => source.close());
  await event(source, "message");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([fired, source.readyState], [1, source.CLOSED]);
});

for (const [name, answer, problem] of [
  ["204", (response) => response.writeHead(204).end(), undefined],
  ["another type", stream("data: x\n\n", true, "text/html"), 200],
  ["another status", (response) => response.writeHead(502).end("<h1>Bad gateway</h1>"), 502],
]) {
  test(`${name} closes the source with an error event`, async () => {
    const { url, asked } = await serve(/** @type {any} */ (answer));
    const source = open(url);
    const error = await event(source, "error");
    assert.deepEqual([source.readyState, error.problem?.status, asked.length], [source.CLOSED, problem, 1]);
  });
}

test("a signal closes the source", async () => {
  const { url, asked } = await serve(stream("data: 1\n\n", false));
  const abort = new AbortController();
  const source = open(url, { signal: abort.signal });
  await event(source, "message");
  abort.abort();
  assert.equal(source.readyState, source.CLOSED);
  assert.equal(open(url, { signal: abort.signal }).readyState, source.CLOSED);
  assert.equal(asked.length, 1);
});

test("an invalid URL or body throws at once", () => {
  assert.throws(() => new EventSource("http://this is invalid/"), { name: "SyntaxError" });
  assert.throws(() => new EventSource("/relative to nothing"), { name: "SyntaxError" });
  assert.throws(() => new EventSource("http://x/", { method: "POST", body: new Blob([]).stream() }), TypeError);
  assert.throws(() => /** @type {any} */ (EventSource)("http://x/"), TypeError);
});

test("a scheme unknown to fetch closes the source", async () => {
  const source = open("mailto:nobody@example.org");
  await event(source, "error");
  assert.equal(source.readyState, source.CLOSED);
});

/** @param {string | Uint8Array} text in writes of one byte each */
function written(text) {
  const bytes = Buffer.from(text);
  return async (/** @type {import("node:http").ServerResponse} */ response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const byte of bytes) await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
    response.end();
  };
}
