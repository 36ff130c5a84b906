import assert from "node:assert/strict";
import { test } from "node:test";

import { Problem, request, Unreachable } from "../../../src/tidings/web/client/http.js";
import { answering, json } from "../answers.js";

test("a request sends JSON and its key, and gives the answer's JSON", async () => {
  /** @type {string} */
  let sent = "";
  const { url, requests } = await answering((response, request) => {
    request.on("data", (bytes) => (sent += bytes)).on("end", () => json(200, { ok: 1 })(response, request));
  });
  assert.deepEqual(await request("POST", url, { json: { a: [1] }, key: "k" }), { ok: 1 });
  const { headers } = requests[0];
  assert.deepEqual(
    [sent, headers["content-type"], headers["idempotency-key"], headers.accept],
    ['{"a":[1]}', "application/json", "k", "application/json"],
  );
});

test("an empty answer is null", async () => {
  const { url } = await answering((response) => void response.writeHead(204).end());
  assert.equal(await request("DELETE", url), null);
});

test("a refusal is a Problem with the document's members, or with the status where there is no document", async () => {
  const detail = { title: "Gone", detail: "Events are gone.", status: 410, earliest: "e-9" };
  const proxy = (/** @type {import("node:http").ServerResponse} */ response) => void response.writeHead(502).end("<p>");
  const liar = json(400, undefined, { "Content-Type": "application/json; broken" });
  const { url } = await answering(json(410, detail), proxy, liar);
  const refused = () => request("GET", url).catch((/** @type {Problem} */ problem) => problem);
  const gone = await refused();
  assert.ok(gone instanceof Problem);
  assert.deepEqual([gone.status, gone.message, gone.members.earliest], [410, "Events are gone.", "e-9"]);
  assert.equal((await refused()).message, "The server answered 502");
  assert.equal((await refused()).status, 400);
});

test("no answer, half an answer and an answer that is no JSON are Unreachable", async () => {
  const half = (/** @type {import("node:http").ServerResponse} */ response) => {
    response.writeHead(200, { "Content-Length": "100" }).write("{", () => response.destroy());
  };
  const { url } = await answering(
    (response) => void response.destroy(),
    half,
    (response) => void response.end("<p>"),
  );
  for (let n = 0; n < 3; n += 1) await assert.rejects(request("GET", url), Unreachable);
});

test("the caller's own abort is passed on", async () => {
  const { url } = await answering(() => {});
  await assert.rejects(request("GET", url, { signal: AbortSignal.timeout(20) }), /TimeoutError|aborted/);
});
