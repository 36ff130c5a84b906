import assert from "node:assert/strict";
import { test } from "node:test";

import { span } from "../../../../src/tidings/web/ui/processes/span-fold.js";

test("a duration is written in the largest unit that it fills", () => {
  const written = [0, 0.0004, 0.35, 1, 59.4, 59.8, 61, 1560, 11_160, 86_000, 121_000, 9e6, 4e7].map(span);
  assert.deepEqual(
    written.map((text) => text.replace("\u00a0", " ")),
    ["0 s", "1 ms", "350 ms", "1 s", "59 s", "1 min", "1 min", "26 min", "3.1 h", "1 d", "1.4 d", "104 d", "1.3 y"],
  );
});
