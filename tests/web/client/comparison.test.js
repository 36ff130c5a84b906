/** What docs/clients/comparison.md says of the readers from npm, tried on each of them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { afterEach, test } from "node:test";

import { EventSource as NpmEventSource } from "eventsource";

import { EventSource } from "../../../src/tidings/web/client/eventsource.js";

// fetch-event-source is for pages: what it asks of one is put there for it.
Object.assign(globalThis, { window: globalThis, document: { addEventListener() {}, removeEventListener() {} } });
const { fetchEventSource } = createRequire(import.meta.url)("@microsoft/fetch-event-source");

/** @typedef {(url: string, fetch: typeof globalThis.fetch, take: (data: string) => void) => () => void} Reader */

/** @param {typeof EventSource | typeof NpmEventSource} Kind @returns {Reader} */
const standard = (Kind) => (url, fetch, take) => {
  const source = new Kind(url, { fetch });
  source.onmessage = (/** @type {MessageEvent} */ event) => take(event.data);
  return () => source.close();
};

/** @type {Record<string, Reader>} */
const READERS = {
  ours: standard(EventSource),
  eventsource: standard(NpmEventSource),
  "fetch-event-source": (url, fetch, take) => {
    const stop = new AbortController();
    const onclose = () => {
      throw new Error("come back"); // it takes a clean end for the end otherwise
    };
    const onmessage = (/** @type {{data: string}} */ event) => take(event.data);
    fetchEventSource(url, { fetch, signal: stop.signal, openWhenHidden: true, onclose, onmessage }).catch(() => {});
    return () => stop.abort();
  },
};

/** @type {(() => void)[]} */
const cleanups = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/**
 * What a reader makes of one answer, and what it asks next.
 * @param {Reader} reader
 * @param {string} text
 * @param {number} status
 * @param {number} patience milliseconds
 * @returns {Promise<{events: string[], next: string}>} `next`: the Last-Event-ID it presents; "error" when its request
 *   cannot be sent; "nothing" when it does not come back
 */
async function tried(reader, text, status, patience) {
  const server = createServer((_, response) => {
    response.writeHead(status, { "Content-Type": "text/event-stream" }).end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  /** @type {string[]} */
  const events = [];
  let asked = 0;
  const next = await new Promise((resolve) => {
    const stop = reader(
      `http://127.0.0.1:${port}/`,
      async (input, init) => {
        asked += 1;
        if (asked === 2) {
          try {
            resolve(Buffer.from(new Headers(init?.headers).get("last-event-id") ?? "", "latin1").toString());
          } catch {
            resolve("error");
          }
        }
        return fetch(input, init);
      },
      (data) => events.push(data),
    );
    const timer = setTimeout(() => resolve("nothing"), patience);
    cleanups.push(
      stop,
      () => clearTimeout(timer),
      () => server.close(),
      () => server.closeAllConnections(),
    );
  });
  return { events, next };
}

/** What the standard asks for, and which readers do otherwise. */
for (const [
  name,
  text,
  wanted,
  otherwise,
  status = 200,
] of /** @type {[string, string, any, Record<string, any>, number?][]} */ ([
  ["CR LF", "retry: 1\r\ndata: a\r\n\r\ndata: b\r\n\r\n", { events: ["a", "b"], next: "" }, {}],
  ["LF", "retry: 1\ndata: a\n\ndata: b\n\n", { events: ["a", "b"], next: "" }, {}],
  [
    "CR",
    "retry: 1\rdata: a\r\rdata: b\r\r",
    { events: ["a", "b"], next: "" },
    { eventsource: { events: ["a"], next: "" } },
  ],
  ["BOM in front", "\ufeffretry: 1\ndata: a\n\n", { events: ["a"], next: "" }, {}],
  [
    "BOM in data",
    "retry: 1\ndata: \ufeffa\n\n",
    { events: ["\ufeffa"], next: "" },
    { "fetch-event-source": { events: ["a"], next: "" } },
  ],
  [
    "comment block after an id",
    "retry: 1\nid: 1\ndata: a\n\n: ping\n\n",
    { events: ["a"], next: "1" },
    { "fetch-event-source": { events: ["a", ""], next: "1" } },
  ],
  [
    "unfinished event",
    "retry: 1\nid: 1\ndata: a\n\nid: 2\ndata: b\n",
    { events: ["a"], next: "1" },
    { "fetch-event-source": { events: ["a"], next: "2" } },
  ],
  [
    "NUL in an id",
    "retry: 1\nid: 1\ndata: a\n\nid: 2\0\ndata: b\n\n",
    { events: ["a", "b"], next: "1" },
    { "fetch-event-source": { events: ["a", "b"], next: "error" } },
  ],
  [
    "id beyond Latin-1",
    "retry: 1\nid: 豆\ndata: a\n\n",
    { events: ["a"], next: "豆" },
    { eventsource: { events: ["a"], next: "error" }, "fetch-event-source": { events: ["a"], next: "error" } },
  ],
  [
    "retry that is no number",
    "retry: 1\nretry: 60000x\ndata: a\n\n",
    { events: ["a"], next: "" },
    { "fetch-event-source": { events: ["a"], next: "nothing" } },
  ],
  ["204", "", { events: [], next: "nothing" }, { "fetch-event-source": { events: [], next: "" } }, 204],
  ["502", "", { events: [], next: "nothing" }, { "fetch-event-source": { events: [], next: "" } }, 502],
])) {
  for (const [reader, read] of Object.entries(READERS)) {
    test(`${name}: ${reader}`, async () => {
      const expected = otherwise[reader] ?? wanted;
      // Whoever is expected back is waited for. Nobody waits longer than 3 s by default.
      const patience = expected.next === "nothing" ? 6000 : 60_000;
      assert.deepEqual(await tried(read, text, status, patience), expected);
    });
  }
}

/** A `fetch` whose every answer is this, and what it was asked with. @param {() => Promise<Response>} answer */
function answering(answer) {
  /** @type {RequestInit[]} */
  const asked = [];
  const fetch = async (/** @type {unknown} */ _, /** @type {RequestInit} */ init) => (asked.push(init), answer());
  return { asked, fetch: /** @type {typeof globalThis.fetch} */ (fetch) };
}

const turns = async () => {
  for (let n = 0; n < 50; n += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** The first seven waits for a server that is not there, with a coin that always falls on one side. */
async function waits(/** @type {import("node:test").TestContext} */ t, /** @type {Reader} */ reader, coin = 0.5) {
  const { fetch } = answering(() => Promise.reject(new TypeError("nobody")));
  /** @type {number[]} */
  const told = [];
  const real = globalThis.setTimeout;
  const random = t.mock.method(Math, "random", () => coin);
  const timers = t.mock.method(globalThis, "setTimeout", (/** @type {any} */ over, /** @type {number} */ wait) => {
    if (wait < 2 ** 31 - 1) told.push(wait); // more is no wait, but the longest time of a watchdog
    return real(over, wait < 2 ** 31 - 1 ? 0 : wait);
  });
  const stop = reader("http://127.0.0.1/", fetch, () => {});
  while (told.length < 7) await turns();
  stop();
  random.mock.restore();
  timers.mock.restore();
  return told.slice(0, 7);
}

for (const [name, same] of /** @type {[string, number?][]} */ ([
  ["ours"],
  ["eventsource", 3000],
  ["fetch-event-source", 1000],
])) {
  test(`back-off: ${name}`, async (t) => {
    const told = await waits(t, READERS[name]);
    if (same) assert.deepEqual(told, Array(7).fill(same));
    else {
      assert.deepEqual(
        told,
        told.toSorted((a, b) => a - b),
      );
      assert.ok(told[6] > 10 * told[0]);
      assert.notDeepEqual(await waits(t, READERS[name], 0.25), told);
    }
  });

  test(`a day of silence: ${name}`, async (t) => {
    const body = () => new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode("data: a\n\n")) });
    const { asked, fetch } = answering(
      async () => new Response(body(), { headers: { "Content-Type": "text/event-stream" } }),
    );
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const heard = new Promise((resolve) => cleanups.push(READERS[name]("http://127.0.0.1/", fetch, resolve)));
    await heard;
    t.mock.timers.tick(24 * 3600 * 1000);
    await turns();
    assert.equal(asked[0].signal?.aborted, false);
    assert.equal(asked.length, 1);
  });

  test(`each attempt asks fetch anew, with any method, headers and body: ${name}`, async () => {
    /** @type {string[]} */
    const seen = [];
    await new Promise((resolve) => {
      const server = createServer(async (request, response) => {
        let body = "";
        for await (const part of request) body += part;
        seen.push(`${request.method} ${request.headers.authorization} ${body}`);
        response.writeHead(200, { "Content-Type": "text/event-stream" }).end("retry: 1\n\n");
        if (seen.length === 2) resolve(undefined);
      }).listen(0, "127.0.0.1", () => {
        const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
        let n = 0;
        /** @type {typeof globalThis.fetch} */
        const asking = (url, init) => {
          const headers = new Headers(init?.headers);
          headers.set("Authorization", `Bearer ${(n += 1)}`);
          return fetch(url, { ...init, method: "POST", body: "q", headers });
        };
        const stop = READERS[name](`http://127.0.0.1:${port}/`, asking, () => {});
        cleanups.push(
          stop,
          () => server.closeAllConnections(),
          () => server.close(),
        );
      });
    });
    assert.deepEqual(seen.slice(0, 2), ["POST Bearer 1 q", "POST Bearer 2 q"]);
  });
}

test("a clean end, and what is asked with: fetch-event-source", async () => {
  const headers = { "Content-Type": "text/event-stream" };
  const { asked, fetch } = answering(async () => new Response("data: a\n\n", { headers }));
  const told = { method: "POST", headers: { "X-Own": "1" }, body: "q" };
  await fetchEventSource("http://127.0.0.1/", { fetch, openWhenHidden: true, ...told });
  assert.equal(asked.length, 1);
  const [{ method, body, headers: sent }] = asked;
  assert.deepEqual([method, body, new Headers(sent).get("x-own")], ["POST", "q", "1"]);
});

test("outside of pages: fetch-event-source, and the EventSource of Node", async () => {
  assert.equal(/** @type {any} */ (globalThis).EventSource, undefined);
  const { document } = globalThis;
  cleanups.push(() => Object.assign(globalThis, { document }));
  Reflect.deleteProperty(globalThis, "document"); // as in Node and in workers
  await assert.rejects(fetchEventSource("http://127.0.0.1/", {}), ReferenceError);
});
