/** The page's fold of notifications, by the histories that the server's is tried by. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fold, none, unread } from "../../../../src/tidings/web/ui/notifications/fold.js";

const file = new URL("../../../apps/notifications/histories.json", import.meta.url);
const histories = JSON.parse(readFileSync(file, "utf8"));

for (const { name, events, items, unread: count, muted = [], watched = [], dnd = null } of histories) {
  test(name, () => {
    const state = events.reduce(
      (/** @type {import("../../../../src/tidings/web/ui/notifications/fold.js").Notifications} */ state, entry, n) =>
        fold(state, { topic: "users.mara", offset: `e-${n + 1}`, type: entry[0], time: n, data: entry[1] }),
      none,
    );
    assert.deepEqual(
      state.items.map((item) => [item.offset, item.title, item.read]),
      items,
    );
    assert.equal(unread(state), count);
    assert.deepEqual(state.muted, muted);
    assert.deepEqual(state.watched, watched);
    assert.equal(state.dnd, dnd);
  });
}
