import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as client from "../../../src/tidings/web/client/index.js";

const page = (/** @type {string} */ name) =>
  readFileSync(new URL(`../../../docs/clients/${name}.md`, import.meta.url), "utf8");

test("every public name is documented", () => {
  const text = ["javascript", "eventsource", "resumable-fetch"].map(page).join();
  const missing = Object.keys(client).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
  assert.deepEqual(missing, []);
});
