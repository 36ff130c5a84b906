import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Attempts,
  headerId,
  isFinal,
  pause,
  resendable,
  retryAfter,
} from "../../../src/tidings/web/client/attempts.js";
import { Decoder } from "../../../src/tidings/web/client/decoder.js";
import { answering, streaming } from "../answers.js";

const NEVER = new AbortController().signal;

/** @param {string} url @param {object} [options] @param {AbortSignal} [signal] */
function attempts(url, options, signal = NEVER) {
  const ask = (/** @type {string} */ id, /** @type {AbortSignal} */ signal) =>
    fetch(url, { signal, headers: id ? { "Last-Event-ID": id } : {} });
  return new Attempts(ask, { silence: Infinity, retry: 1, ...options }, signal);
}

test("a connection presents the last event ID that was heard", async () => {
  const { url, requests } = await answering(streaming("id: 7\ndata: a\n\n"));
  const all = attempts(url);
  all.use(await all.open());
  const decoder = new Decoder();
  decoder.feed(/** @type {Uint8Array} */ (await all.read()));
  all.heard(decoder);
  await all.open();
  assert.deepEqual(
    requests.map(({ headers }) => headers["last-event-id"]),
    [undefined, "7"],
  );
});

test("attempts that bring nothing are counted until one brings something", async () => {
  const all = attempts((await answering(streaming("data: a\n\n"))).url);
  for (const count of [1, 2, 3]) {
    await all.open();
    all.ended();
    assert.equal(all.failures, count);
  }
  all.use(await all.open());
  all.heard(new Decoder());
  all.ended();
  assert.equal(all.failures, 0);
});

test("a wait is the time that a refusal or the stream asked for", () => {
  const all = attempts("http://127.0.0.1/");
  assert.equal(all.ended(1234), 1234);
  all.heard(Object.assign(new Decoder(), { retry: 10_000 }));
  const wait = Number(all.ended());
  assert.ok(wait >= 9_000 && wait <= 11_000 + 1000, String(wait));
});

test("waits without a wish of the server grow with the failures and stay below half a minute", () => {
  const all = attempts("http://127.0.0.1/", { retry: 1000 });
  const waits = Array.from({ length: 2000 }, () => Number(all.ended()));
  assert.ok(Math.max(...waits.slice(0, 2)) <= 4000);
  assert.ok(Math.max(...waits) > 20_000 && Math.max(...waits) <= 31_000);
});

test("an interruption before the wait has begun ends the wait", async () => {
  const all = attempts("http://127.0.0.1/");
  const wait = Number(all.ended(60_000));
  all.interrupt();
  await all.wait(wait);
  const next = all.wait(60_000);
  all.interrupt();
  await next;
});

test("an interruption while connected asks for no wait", async () => {
  const all = attempts((await answering(streaming(""))).url);
  all.use(await all.open());
  const read = all.read();
  all.interrupt();
  await assert.rejects(read);
  assert.equal(all.ended(), null);
  assert.equal(all.failures, 0);
});

test("a silent connection is given up, with an error that says so", async () => {
  const all = attempts((await answering(streaming(""))).url, { silence: 20 });
  all.use(await all.open(true));
  await assert.rejects(all.read(), /Nothing came for 20 ms/);
});

test("the signal ends the connection under way and all later ones", async () => {
  const stop = new AbortController();
  const all = attempts((await answering(streaming(""))).url, {}, stop.signal);
  all.use(await all.open());
  const read = all.read();
  stop.abort(new Error("enough"));
  await assert.rejects(read, /enough/);
  await assert.rejects(all.open(), /enough/);
  await all.wait(60_000);
});

test("the wait that a refusal asks for is in seconds, and at most half a minute", () => {
  const waits = [undefined, "7", "0", "3600", "soon"].map((asked) =>
    retryAfter(new Response(null, { status: 503, headers: asked ? { "Retry-After": asked } : {} })),
  );
  assert.deepEqual(waits, [undefined, 7000, 0, 30_000, undefined]);
});

test("statuses, bodies and IDs are told apart", async () => {
  assert.deepEqual([400, 401, 404, 410, 408, 425, 429, 500, 503, 200].map(isFinal), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
  for (const body of [null, undefined, "a", new Uint8Array(1), new Blob(["a"]), new FormData(), new URLSearchParams()])
    assert.ok(resendable(body));
  assert.ok(!resendable(new ReadableStream()));
  assert.equal(headerId("é"), "\u00c3\u00a9");
  await pause(60_000, AbortSignal.abort());
});
