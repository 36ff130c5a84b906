import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { EventSource as NpmEventSource } from "eventsource";
import OpenAI from "openai";

import { Decoder } from "../../../src/tidings/web/client/decoder.js";
import { resumableFetch } from "../../../src/tidings/web/client/resumable.js";
import { startApp, startProxy, stopAll } from "../processes.js";

/** @type {string} */
let app;
/** @type {Awaited<ReturnType<typeof startProxy>>} */
let proxy;
before(async () => {
  app = await startApp();
  proxy = await startProxy(app);
});
after(stopAll);
beforeEach(() => proxy.tell("now pass"));

const resuming = resumableFetch(fetch, { retry: 1 });

/** @param {string} path */
const json = async (path) => (await fetch(app + path)).json();

/** Every library's question: the answer it has in the end, over a connection that is cut as told. */
async function openai(model = "m") {
  const client = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: "none", fetch: resuming, maxRetries: 0 });
  const stream = await client.chat.completions.create({
    model,
    stream: true,
    messages: [{ role: "user", content: "?" }],
  });
  let text = "";
  let finish = "";
  for await (const { choices } of stream) {
    text += choices[0].delta.content ?? "";
    finish = choices[0].finish_reason ?? finish;
  }
  return { text, finish };
}

for (const [name, ...behaviours] of [
  ["no cut at all"],
  ["an answer byte by byte", "bytes"],
  ["a reset", "cut 5000"],
  ["a FIN without an end", "cut 5000 fin"],
  ["a cut before the first id", "cut 100"],
  ["a cut before the first byte", "cut 0"],
  ["ten cuts, at other places", ...Array.from({ length: 10 }, (_, n) => `cut ${3001 + 777 * n}`)],
  ["a gateway that answers for a server that is gone", "cut 5000", "html", "html"],
]) {
  test(`openai reads its whole answer, by one run of the model, over ${name}`, async () => {
    const started = await json("/models");
    const asked = await proxy.count();
    for (const behaviour of behaviours) await proxy.tell(`next ${behaviour}`);
    const { text, finish } = await openai();
    assert.equal(text, await json("/answer"));
    assert.equal(finish, "stop");
    assert.equal(await json("/models"), started + 1);
    assert.equal(await proxy.count(), asked + 1 + behaviours.filter((behaviour) => behaviour !== "bytes").length);
  });
}

test("openai reads an answer that ends without [DONE], with no event that is not of its format", async () => {
  assert.deepEqual(await openai("broken"), { text: await json("/answer"), finish: "" });
});

test("openai reads a whole answer through refusals and cuts at any byte", async () => {
  const started = await json("/models");
  // 100 bytes are within the first event, and each connection is cut later than the one before it.
  for (let n = 0; n < 60; n += 1) await proxy.tell(`next cut ${100 + 97 * n}`);
  assert.equal((await openai()).text, await json("/answer"));
  assert.equal(await json("/models"), started + 1);
  while ((await (await fetch(`${proxy.url}/models`)).status) !== 200);
});

/**
 * The `eventsource` package, over `resumableFetch`.
 * @param {string} url
 * @param {(data: string) => boolean} last
 */
function npm(url, last) {
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const data = [];
    const source = new NpmEventSource(url, { fetch: resuming });
    source.onmessage = (event) => {
      data.push(event.data);
      if (last(event.data)) (source.close(), resolve(data));
    };
    source.onerror = (event) => (source.close(), reject(new Error(`${event.code} ${event.message}`)));
  });
}

test("eventsource sees no error while its connection is cut again and again", async () => {
  const events = Array.from({ length: 300 }, (_, n) => JSON.stringify({ data: { n } })).join("\n");
  await fetch(`${app}/topics/numbers/events`, {
    method: "POST",
    body: events,
    headers: { "Content-Type": "application/x-ndjson" },
  });
  for (const behaviour of ["cut 0", "cut 400", "cut 1000 fin", "html", "bytes", "cut 2000"]) {
    await proxy.tell(`next ${behaviour}`);
  }
  const data = await npm(`${proxy.url}/events?topic=numbers&from=earliest`, (text) => JSON.parse(text).n === 299);
  assert.deepEqual(
    data.map((text) => JSON.parse(text).n),
    Array.from({ length: 300 }, (_, n) => n),
  );
});

test("silence is noticed in the stream and while resuming, but not before the first answer", async () => {
  const patient = resumableFetch(fetch, { retry: 1, silence: 500, failures: 50 });
  const asked = await proxy.count();
  for (const behaviour of ["stall 5000", "swallow", "stall 0", "stall 1000"]) await proxy.tell(`next ${behaviour}`);
  /** @param {Response} response */
  const said = async (response) =>
    new Decoder()
      .feed(new Uint8Array(await response.arrayBuffer()))
      .filter(({ type }) => type === "message")
      .map(({ data }) => data);
  const data = await said(await patient(`${proxy.url}/v1/chat/completions`, { method: "POST" }));
  assert.deepEqual(data, await said(await resuming(`${app}/v1/chat/completions`, { method: "POST" })));
  assert.ok((await proxy.count()) >= asked + 5);
  const { url } = await serve(
    (response) => void setTimeout(() => stream("{}", "end", "application/json")(response), 50),
  );
  assert.equal(await (await resumableFetch(fetch, { silence: 1 })(url)).text(), "{}");
});

test("a stream that stays silent ends with an error that says so", async () => {
  const { url } = await serve(stream("id: 1\ndata: a\n\n", "open"));
  const reader = (await resumableFetch(fetch, { silence: 50, failures: 1, retry: 1 })(url)).body.getReader();
  await reader.read();
  await assert.rejects(reader.read(), /Nothing came for 50 ms/);
});

test("the tutorial's endpoint is read through cuts and starts one run", async () => {
  const url = "/stream?q=What+is+a+topic%3F";
  const whole = await npm(app + url, (text) => text === "[DONE]");
  const runs = async () => (await json("/topics?prefix=runs.&limit=1000")).topics.length;
  const before = await runs();
  for (let n = 0; n < 8; n += 1) await proxy.tell(`next cut ${300 + 150 * n}`);
  assert.deepEqual(await npm(proxy.url + url, (text) => text === "[DONE]"), whole);
  assert.equal(await runs(), before + 1);
});

// What follows is about the function itself, over answers written by hand.

/** @type {import("node:http").Server[]} */
const servers = [];
afterEach(() => servers.splice(0).forEach((server) => (server.closeAllConnections(), server.close())));

/** @typedef {(response: import("node:http").ServerResponse) => void} Answer */

/**
 * A server that answers the n-th request with the n-th of `answers`, and what it was asked with.
 * @param {Answer[]} answers
 */
async function serve(...answers) {
  /** @type {import("node:http").IncomingMessage[]} */
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request);
    (answers[asked.length - 1] ?? ((response) => void response.writeHead(500).end()))(response);
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, asked, ids: () => asked.map(({ headers }) => headers["last-event-id"]) };
}

/**
 * Some of an event stream, and then nothing, an end, or a cut once it has arrived.
 * @param {string | Uint8Array} text
 * @param {"open" | "end" | "cut"} then
 * @param {string} [type]
 * @returns {Answer}
 */
const stream =
  (text, then, type = "text/event-stream") =>
  (response) => {
    response.writeHead(200, { "Content-Type": type });
    if (then === "end") response.end(text);
    else response.write(text, () => then === "cut" && response.destroy());
  };

for (const [name, ...parts] of /** @type {[string, ...string[]][]} */ ([
  ["a half event at the cut is dropped", "id: 1\ndata: a\n\nid: 2\nda", "id: 2\ndata: b\n\n"],
  ["an event whose blank line was cut off comes again", "id: 1\ndata: a\n\nid: 2\ndata: b\n", "id: 2\ndata: b\n\n"],
  ["CR LF is cut in the middle", "id: 1\r\ndata: a\r\n\r", "id: 2\r\ndata: b\r\n\r\n"],
  ["a byte order mark", "\ufeffid: 1\ndata: a\n\n", "\ufeffid: 2\ndata: b\n\n"],
  ["comments", ": hello\nid: 1\ndata: a\n\n:\n:\n", ":\nid: 2\ndata: b\n\n"],
])) {
  test(`spliced: ${name}`, async () => {
    const { url, ids } = await serve(stream(parts[0], "cut"), stream(parts[1], "end"));
    const bytes = new Uint8Array(await (await resuming(url)).arrayBuffer());
    assert.deepEqual(
      new Decoder().feed(bytes).map(({ id, data }) => [id, data]),
      [
        ["1", "a"],
        ["2", "b"],
      ],
    );
    assert.deepEqual(ids(), [undefined, "1"]);
  });
}

test("a comment outside of an event is not held back", async () => {
  const { url } = await serve(stream(":\n", "open"));
  const reader = (await resuming(url)).body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), ":\n");
  await reader.cancel();
});

test("an ID is sent as the bytes of its UTF-8", async () => {
  const { url, ids } = await serve(
    stream("id: é豆\ndata: a\n\n", "cut"),
    (response) => void response.writeHead(204).end(),
  );
  assert.equal(await (await resuming(url)).text(), "id: é豆\ndata: a\n\n");
  assert.equal(Buffer.from(String(ids()[1]), "latin1").toString(), "é豆");
});

test("a clean end ends the stream, with an unfinished event", async () => {
  const { url, asked } = await serve(stream("data: a\n\ndata: half", "end"));
  assert.equal(await (await resuming(url)).text(), "data: a\n\ndata: half");
  assert.equal(asked.length, 1);
});

/** @type {Answer} */
const over = (response) => void response.writeHead(204).end();
const FIRST = "retry: 1\nid: 1\ndata: a\n\n";

for (const [name, ...parts] of /** @type {[string, string, string][]} */ ([
  ["with the rest of the events", FIRST, "id: 2\ndata: b\n\n"],
  ["with the rest of a half event", `${FIRST}id: 2\nda`, "id: 2\ndata: b\n\n"],
])) {
  test(`a clean end before the last event is asked about, and the stream goes on ${name}`, async () => {
    const { url, ids } = await serve(stream(parts[0], "end"), stream(parts[1], "end"), over);
    assert.equal(await (await resumableFetch(fetch, { retry: 1e9 })(url)).text(), `${FIRST}id: 2\ndata: b\n\n`);
    assert.deepEqual(ids(), [undefined, "1", "2"]);
  });
}

test("a second clean end that brings nothing new is the end, with an unfinished event", async () => {
  const { url, asked } = await serve(stream(FIRST, "end"), stream("id: 2\nda", "end"));
  assert.equal(await (await resuming(url)).text(), `${FIRST}id: 2\nda`);
  assert.equal(asked.length, 2);
});

test("a clean end that cannot be asked about is passed on as an error", async () => {
  const { url, asked } = await serve(stream(FIRST, "end"), (response) => void response.writeHead(404).end());
  await assert.rejects((await resuming(url)).text(), /stopped before its end/);
  assert.equal(asked.length, 2);
});

for (const [name, text, count] of /** @type {[string, string, number][]} */ ([
  ["[DONE]", `${FIRST}id: 2\ndata: [DONE]\n\n`, 1],
  ["tidings.end", `${FIRST}event: tidings.end\nid: 1\ndata: {}\n\n`, 1],
  ["tidings.end of one of several topics", `${FIRST}event: tidings.end\nid: 1~2\ndata: {}\n\n`, 2],
  ["an event that is not the last", `${FIRST}id: 2\ndata: [DONE]\n\nid: 3\ndata: b\n\n`, 2],
  ["an event without an id", "retry: 1\ndata: a\n\n", 1],
  ["an event of a server that names no reconnection time", "id: 1\ndata: a\n\n", 1],
])) {
  test(`requests for a stream that ends cleanly after ${name}: ${count}`, async () => {
    const { url, asked } = await serve(stream(text, "end"), over);
    assert.equal(await (await resuming(url)).text(), text);
    assert.equal(asked.length, count);
  });
}

test("other responses are not touched", async () => {
  const { url, asked } = await serve(stream("{}", "cut", "application/json"), (response) =>
    response.writeHead(503).end("no"),
  );
  await assert.rejects((await resuming(url)).text());
  assert.equal((await resuming(url)).status, 503);
  assert.equal(asked.length, 2);
});

test("events without an id cannot be resumed: their error is passed on, and nothing is asked again", async () => {
  const { url, asked } = await serve(stream("data: a\n\n", "cut"), stream("data: a\n\n", "end"));
  const reader = (await resuming(url)).body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "data: a\n\n");
  await assert.rejects(reader.read());
  assert.equal(asked.length, 1);
});

test("after the given number of failures the error that cut the stream is thrown", async () => {
  const { url, asked } = await serve(stream("id: 1\ndata: a\n\n", "cut"));
  const reader = (await resumableFetch(fetch, { failures: 2, retry: 1 })(url)).body.getReader();
  await reader.read();
  await assert.rejects(reader.read(), /terminated/);
  assert.equal(asked.length, 3);
});

test("a refusal is final", async () => {
  const { url, asked } = await serve(
    stream("id: 1\ndata: a\n\n", "cut"),
    (response) => void response.writeHead(410).end(),
  );
  await assert.rejects((await resuming(url)).text(), /terminated/);
  assert.equal(asked.length, 2);
});

test("a POST is asked again with the same key, its own if it has one", async () => {
  const { url, asked } = await serve(
    (response) => void response.destroy(),
    stream("", "cut"),
    stream("data: a\n\n", "end"),
    stream("data: b\n\n", "end"),
  );
  await (await resuming(url, { method: "POST", body: new URLSearchParams({ q: "1" }) })).text();
  await (
    await resuming(new Request(url, { method: "POST", body: "x", headers: { "Idempotency-Key": "mine" } }))
  ).text();
  const keys = asked.map(({ headers }) => headers["idempotency-key"]);
  assert.match(String(keys[0]), /^[0-9a-v]{20}$/);
  assert.deepEqual(keys.slice(1), [keys[0], keys[0], "mine"]);
});

test("a body that is a stream is sent once", async () => {
  const { url, asked } = await serve((response) => void response.destroy());
  const body = new Blob(["x"]).stream();
  await assert.rejects(resuming(url, { method: "POST", body, duplex: "half" }));
  assert.equal(asked.length, 1);
  assert.equal(asked[0].headers["idempotency-key"], undefined);
});

for (const [name, answer, reading] of /** @type {[string, Answer, boolean][]} */ ([
  ["before the answer", () => {}, false],
  ["within it", stream("id: 1\ndata: a\n\n", "open"), true],
  ["while it waits", stream("id: 1\ndata: a\n\n", "cut"), true],
])) {
  test(`the caller's signal ends it at once: ${name}`, async () => {
    const { url } = await serve(answer);
    const abort = new AbortController();
    const asked = resumableFetch(fetch, { retry: 1e9 })(url, { signal: abort.signal });
    const reader = reading ? (await asked).body.getReader() : { read: () => asked };
    if (reading) await reader.read();
    const waiting = reader.read();
    setTimeout(() => abort.abort(new Error("enough")));
    await assert.rejects(waiting, /enough/);
    await assert.rejects(resuming(url, { signal: abort.signal }), /enough/);
  });
}

test("a reader that leaves ends the connection", async () => {
  let left = () => {};
  const gone = new Promise((resolve) => (left = () => resolve(undefined)));
  const { url } = await serve((response) => {
    response.on("close", left);
    stream("data: a\n\n", "open")(response);
  });
  const { body } = await resuming(url);
  await body.cancel();
  await gone;
});
