import assert from "node:assert/strict";
import { test } from "node:test";

import { distance, isRead, later } from "../../../../src/tidings/web/ui/log/offset-fold.js";

test("offsets of one epoch are ordered, and another epoch is later", () => {
  assert.deepEqual(
    [isRead("e-9", "e-10"), isRead("e-10", "e-9"), isRead(null, "e-1"), isRead("e-9", "f-1")],
    [false, true, false, false],
  );
  assert.deepEqual([later(null, "e-1"), later("e-2", "e-1"), later("e-2", "f-1")], ["e-1", "e-2", "f-1"]);
  assert.deepEqual([distance("e-2", "e-9"), distance("e-2", "f-9")], [7, 0]);
});
