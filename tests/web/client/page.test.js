import assert from "node:assert/strict";
import { test } from "node:test";

import { watchPage } from "../../../src/tidings/web/client/page.js";

test("outside of a page nothing is watched; in pages tests/browser/test_shared.py puts them to sleep", () => {
  const called = () => assert.fail();
  watchPage({ sleep: called, wake: called, seen: called, online: called }, new AbortController().signal);
});
