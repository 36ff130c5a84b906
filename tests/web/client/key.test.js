import assert from "node:assert/strict";
import { test } from "node:test";

import { newKey } from "../../../src/tidings/web/client/key.js";

test("a key has 20 characters that suit a header and a topic, and is not given twice", () => {
  const keys = Array.from({ length: 1000 }, newKey);
  for (const key of keys) assert.match(key, /^[0-9a-v]{20}$/);
  assert.equal(new Set(keys).size, keys.length);
});
