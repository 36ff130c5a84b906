/** What docs/clients/comparison.md says of the readers from npm, tried on each of them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { afterEach, test } from "node:test";

import { EventSource as NpmEventSource } from "eventsource";

import { EventSource } from "../../src/tidings/web/client/eventsource.js";

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
