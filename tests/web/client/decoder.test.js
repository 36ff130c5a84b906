import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Decoder } from "../../../src/tidings/web/client/decoder.js";

const vectors = JSON.parse(readFileSync(new URL("../../wire/vectors/sse.json", import.meta.url), "utf8"));

/**
 * @param {Uint8Array} bytes
 * @param {number} size of a chunk; 0: whole
 */
function decode(bytes, size) {
  const decoder = new Decoder();
  const events = [];
  for (let at = 0; at < bytes.length; at += size || bytes.length) {
    events.push(...decoder.feed(bytes.subarray(at, at + (size || bytes.length))));
  }
  return { events, last_event_id: decoder.lastEventId, retry: decoder.retry };
}

test("the vectors are there", () => assert.ok(vectors.length > 50));

for (const { group, name, text, base64, ...expected } of vectors) {
  const bytes = text === undefined ? Buffer.from(base64, "base64") : new TextEncoder().encode(text);
  for (const size of [0, 1, 2, 3]) {
    test(`${group}: ${name}, in chunks of ${size || "all"}`, () => {
      assert.deepEqual(decode(bytes, size), expected);
    });
  }
}

test("a CR that ends a chunk does not delay its event", () => {
  const events = new Decoder().feed(new TextEncoder().encode("data: now\r\r"));
  assert.deepEqual(
    events.map((event) => event.data),
    ["now"],
  );
});

test("a line of many chunks and many lines of a chunk are decoded whole", () => {
  const decoder = new Decoder();
  const piece = new Uint8Array(1024).fill(120);
  decoder.feed(new TextEncoder().encode("data:"));
  for (let n = 0; n < 5 * 1024; n += 1) decoder.feed(piece);
  assert.equal(decoder.feed(new TextEncoder().encode("\n\n"))[0].data.length, 5 * 1024 * 1024);
  const many = "data: x\r\n\n".repeat(100_000);
  assert.equal(decoder.feed(new TextEncoder().encode(many)).length, 100_000);
});
