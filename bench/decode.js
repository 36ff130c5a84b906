/**
 * How fast an event stream is decoded, in MB/s of its bytes: ours beside `eventsource-parser`, which most readers in
 * JavaScript are built on. It takes text, so its bytes go through a TextDecoder first, as they do in those.
 *
 * `node bench/decode.js` prints one line of JSON: {"cases": {NAME: {"tidings": MB/s, "eventsource-parser": MB/s}}}. Each
 * figure is the best of several rounds, and the two take turns.
 */
import { createParser } from "eventsource-parser";

import { Decoder } from "../src/tidings/web/client/decoder.js";

const ROUNDS = 9;
const CHUNK = 16 * 1024;

/** Name, and one event of the stream. @type {[string, (n: number) => string][]} */
const CASES = [
  ["tokens", (n) => `id: k3Jx9-${n}\ndata: {"type":"block.delta","delta":" word"}\n\n`],
  ["1 KB events", (n) => `event: update\nid: k3Jx9-${n}\ndata: ${"x".repeat(1000)}\n\n`],
  ["lines", (n) => `data: ${n}\ndata: a second line\ndata: and a third\n\n`],
  ["beyond ASCII", (n) => `id: ${n}\ndata: ${"€豆腐 ".repeat(20)}\n\n`],
  ["long lines", () => `data: ${"x".repeat(256 * 1024)}\n\n`],
];

/** @type {Record<string, (chunks: Uint8Array[]) => number>} how many events it found */
const READERS = {
  tidings(chunks) {
    const decoder = new Decoder();
    let events = 0;
    for (const chunk of chunks) events += decoder.feed(chunk).length;
    return events;
  },
  "eventsource-parser"(chunks) {
    let events = 0;
    const parser = createParser({ onEvent: () => (events += 1) });
    const text = new TextDecoder();
    for (const chunk of chunks) parser.feed(text.decode(chunk, { stream: true }));
    return events;
  },
};

/** @param {(n: number) => string} event */
function chunksOf(event) {
  let text = "";
  for (let n = 0; text.length < 8_000_000; n += 1) text += event(n);
  const bytes = new TextEncoder().encode(text);
  const chunks = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.subarray(at, at + CHUNK));
  return { chunks, size: bytes.length };
}

/** @type {Record<string, Record<string, number>>} */
const cases = {};
for (const [name, event] of CASES) {
  const { chunks, size } = chunksOf(event);
  /** @type {Record<string, number>} */
  const best = {};
  const found = new Set();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [reader, read] of Object.entries(READERS)) {
      const began = process.hrtime.bigint();
      found.add(read(chunks));
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      best[reader] = Math.max(best[reader] ?? 0, size / 1e6 / seconds);
    }
  }
  if (found.size !== 1) throw new Error(`the readers differ on ${name}: ${[...found].join(" and ")} events`);
  cases[name] = Object.fromEntries(Object.entries(best).map(([reader, speed]) => [reader, Math.round(speed)]));
}
console.log(JSON.stringify({ cases }));
