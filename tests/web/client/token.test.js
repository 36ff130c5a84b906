import assert from "node:assert/strict";
import { test } from "node:test";

import { claimsOf, Tokens } from "../../../src/tidings/web/client/token.js";
import { answering, json } from "../answers.js";

/** @param {object} claims */
const token = (claims) => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
/** @param {number} seconds */
const expiring = (seconds, n = 0) => token({ exp: Date.now() / 1000 + seconds, n });

test("a token is fetched once, however many ask for it at the same time", async () => {
  let asked = 0;
  const tokens = new Tokens(async () => expiring(3600, (asked += 1)));
  const [one, two] = await Promise.all([tokens.get(), tokens.get()]);
  assert.equal(one, two);
  assert.equal(await tokens.get(), one);
  assert.equal(asked, 1);
});

test("a token is replaced half a minute before it expires, or after three quarters of a short life", async () => {
  const tokens = new Tokens(async () => expiring(3600));
  await tokens.get();
  assert.ok(Math.abs(tokens.renewAt - Date.now() - 3570_000) < 5000);
  const short = new Tokens(async () => expiring(40));
  await short.get();
  assert.ok(Math.abs(short.renewAt - Date.now() - 30_000) < 5000);
  const late = new Tokens(async () => expiring(-5));
  await late.get();
  assert.equal(late.renewAt, Infinity);
});

test("a refused token is replaced once, and then the refusal stands", async () => {
  const { url, requests } = await answering(json(401));
  let asked = 0;
  const tokens = new Tokens(async () => expiring(3600, (asked += 1)));
  assert.equal((await tokens.fetch(url)).status, 401);
  assert.equal(requests.length, 2);
  assert.notEqual(requests[0].headers.authorization, requests[1].headers.authorization);
});

test("without a token the server is not reached", async (t) => {
  t.mock.method(console, "warn", () => {});
  const tokens = new Tokens(() => Promise.reject(new Error("none")));
  await assert.rejects(tokens.get(), /cannot be reached/);
});

test("claims are read from a token, and from nothing else", () => {
  assert.equal(claimsOf(token({ sub: "mara" })).sub, "mara");
  assert.deepEqual(claimsOf("no token"), {});
});
