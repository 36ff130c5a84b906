import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";

import { EventStream } from "../../../src/tidings/web/client/index.js";

/** @type {(() => void)[]} */
const cleanups = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/** @param {import("node:http").ServerResponse} response */
const otherwise = (response) => void response.writeHead(204).end();

/**
 * A server that answers the n-th request with the n-th of `answers`, then with 204, and what it was asked with.
 * @param {((response: import("node:http").ServerResponse) => void)[]} answers
 */
async function serve(...answers) {
  /** @type {(string | undefined)[]} */
  const ids = [];
  const server = createServer((request, response) => {
    ids.push(/** @type {string | undefined} */ (request.headers["last-event-id"]));
    (answers[ids.length - 1] ?? otherwise)(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  cleanups.push(() => (server.closeAllConnections(), server.close()));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/events`, ids };
}

/** @param {string} text @param {boolean} [end] */
const stream =
  (text, end = true) =>
  (/** @type {import("node:http").ServerResponse} */ response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(text);
    if (end) response.end();
  };

/**
 * Follow until the stream is closed.
 * @param {string} url
 * @param {Partial<import("../../../src/tidings/web/client/stream.js").Options>} [options]
 */
function follow(url, options = {}) {
  /** @type {string[]} */
  const data = [];
  /** @type {string[]} */
  const phases = [];
  /** @type {EventStream} */
  let opened;
  const closed = new Promise((resolve) => {
    opened = new EventStream(url, {
      retry: 1,
      ...options,
      onEvents: (events) => {
        data.push(...events.map((event) => event.data));
        options.onEvents?.(events);
      },
      onState: (state) => {
        phases.push(state.phase);
        options.onState?.(state);
        if (state.phase === "closed") resolve(state);
      },
    });
  });
  cleanups.push(() => opened.close());
  return { data, phases, closed, stream: () => opened };
}

test("a reconnect presents the last event ID, and 204 ends the stream", async () => {
  const { url, ids } = await serve(
    stream("data: a\nid: 1\n\n"),
    stream("data: b\nid: 2\n\ndata: cut"),
    stream("data: c\n\n"),
  );
  const { data, closed } = follow(url);
  assert.equal((await closed).problem, undefined);
  assert.deepEqual(data, ["a", "b", "c"]);
  assert.deepEqual(ids, [undefined, "1", "2", "2"]);
});

test("the caller chooses the last event ID of the first connection", async () => {
  const { url, ids } = await serve();
  await follow(url, { lastEventId: "x-7~0-0" }).closed;
  assert.deepEqual(ids, ["x-7~0-0"]);
});

test("a final refusal ends the stream with the problem", async () => {
  const { url, ids } = await serve((response) => {
    response.writeHead(401, { "Content-Type": "application/problem+json" });
    response.end('{"title": "Not signed in", "status": 401, "detail": "The token is expired."}');
  });
  const { closed } = follow(url);
  const { problem } = await closed;
  assert.deepEqual([problem.status, problem.message], [401, "The token is expired."]);
  assert.equal(ids.length, 1);
});

test("a failing server is asked again after its Retry-After", async () => {
  const { url, ids } = await serve(
    (response) => response.writeHead(503, { "Retry-After": "0" }).end(),
    (response) => response.writeHead(429, { "Retry-After": "0" }).end(),
    (response) => response.destroy(),
    (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("a proxy's page"),
    stream("data: well\n\n"),
  );
  const { data, closed } = follow(url);
  await closed;
  assert.deepEqual(data, ["well"]);
  assert.equal(ids.length, 6);
});

test("a failing server is left alone for as long as its Retry-After says", async () => {
  const { url } = await serve((response) => response.writeHead(503, { "Retry-After": "20" }).end());
  const began = Date.now();
  /** @type {number} */
  let until = 0;
  const { stream: opened, closed } = follow(url, {
    onState: ({ phase, retryAt }) => {
      if (phase !== "waiting") return;
      until = /** @type {number} */ (retryAt);
      queueMicrotask(() => opened().close());
    },
  });
  await closed;
  assert.ok(until >= began + 20_000);
});

test("a silent connection is given up", async () => {
  // However slow this machine is, one of many connections speaks before it is given up.
  const { url, ids } = await serve(stream(":\n", false), ...Array(100).fill(stream("data: again\n\n", false)));
  const { data, closed, stream: opened } = follow(url, { silence: 50, onEvents: () => opened().close() });
  await closed;
  assert.deepEqual(data, ["again"]);
  assert.ok(ids.length > 1);
});

test("the reconnection time is the server's", async () => {
  const { url } = await serve(stream("retry: 12345\ndata: x\n\n"));
  /** @type {number} */
  let until = 0;
  const began = Date.now();
  const { stream: opened, closed } = follow(url, {
    onState: ({ phase, retryAt }) => {
      if (phase !== "waiting") return;
      until = /** @type {number} */ (retryAt);
      queueMicrotask(() => opened().reconnect());
    },
  });
  await closed;
  assert.ok(until >= began + 0.9 * 12345 && until <= Date.now() + 1.1 * 12345);
});

test("closing is final, and an abort signal closes", async () => {
  const { url, ids } = await serve(stream("data: x\n\n", false));
  const abort = new AbortController();
  const { closed, phases } = follow(url, {
    signal: abort.signal,
    onState: ({ phase }) => phase === "open" && abort.abort(),
  });
  await closed;
  assert.deepEqual(phases, ["connecting", "open", "closed"]);
  assert.equal(ids.length, 1);
});

test("reconnect() gives up the connection at once", async () => {
  const { url, ids } = await serve(stream("data: x\nid: 3\n\n", false));
  const { stream: opened, closed } = follow(url, { onEvents: () => opened().reconnect() });
  await closed;
  assert.deepEqual(ids, [undefined, "3"]);
});

test("a stream closed in onState sends no request", async () => {
  let asked = 0;
  await new Promise((resolve) => {
    const stream = new EventStream("http://127.0.0.1/", {
      fetch: async (_, init) => {
        if (!init?.signal?.aborted) asked += 1;
        throw new TypeError("nobody");
      },
      onEvents: () => {},
      onState: ({ phase }) => (phase === "connecting" ? stream.close() : setImmediate(resolve)),
    });
  });
  assert.equal(asked, 0);
});
