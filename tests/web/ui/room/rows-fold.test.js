import assert from "node:assert/strict";
import { test } from "node:test";

import * as room from "../../../../src/tidings/web/ui/room/fold.js";
import * as rooms from "../../../../src/tidings/web/ui/rooms/fold.js";
import { newsFrom, rows } from "../../../../src/tidings/web/ui/room/rows-fold.js";

/** @param {number} n @param {string} type @param {any} data @param {string} [topic] */
const event = (n, type, data, topic = "rooms.deploys") => ({ topic, offset: `e-${n}`, type, time: n * 60, data });

/** @param {ReturnType<typeof event>[]} events */
const items = (...events) => new room.Stretch().add(events).items;

test("rows have days, a line above the first new item, and continued messages", () => {
  const all = items(
    event(1, "message.posted", { by: "Mara", text: "one" }),
    event(2, "message.posted", { by: "Mara", text: "goes on" }),
    event(3, "member.joined", { by: "Jonas", member: "Jonas", role: "member" }),
    event(4, "message.posted", { by: "Mara", text: "my own is no news" }),
    event(5, "message.posted", { by: "Jonas", text: "new" }),
    event(6, "message.posted", { by: "Jonas", text: "goes on" }),
    event(20, "message.posted", { by: "Jonas", text: "after a while" }),
  );
  const how = { dayOf: (/** @type {number} */ time) => (time < 1000 ? "one" : "two") };
  const line = all[newsFrom(all, "e-2", "Mara")];
  const keys = (/** @type {ReturnType<typeof rows>} */ rows) =>
    rows.map((row) => (row.kind === "item" ? row.item.offset + (row.continued ? "+" : "") : row.key));
  const whole = ["day-one", "e-1", "e-2+", "e-3", "e-4", "since", "e-5", "e-6+", "day-two", "e-20"];
  assert.deepEqual(keys(rows(all, { ...how, line })), whole);
  assert.deepEqual(keys(rows(all.slice(5), { ...how, line, before: all[4] })), whole.slice(7));
  assert.deepEqual(keys(rows(all.slice(1, 5), { ...how, line, before: all[0] })), whole.slice(2, 7));
  assert.deepEqual(
    [newsFrom(all, null, "Mara"), newsFrom(all, "e-20", "Mara"), newsFrom(all, "e-6", "Jonas")],
    [-1, -1, -1],
  );
});
