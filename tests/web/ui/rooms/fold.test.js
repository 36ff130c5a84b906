import assert from "node:assert/strict";
import { test } from "node:test";

import * as room from "../../../../src/tidings/web/ui/room/fold.js";
import * as rooms from "../../../../src/tidings/web/ui/rooms/fold.js";

/** @param {number} n @param {string} type @param {any} data @param {string} [topic] */
const event = (n, type, data, topic = "rooms.deploys") => ({ topic, offset: `e-${n}`, type, time: n * 60, data });

test("messages of others are unread until they are read on any device", () => {
  const told = { id: "deploys", name: "deploys", private: false, archived: false, role: "member", members: 2 };
  const start = rooms.listed([
    { ...told, unread: 3, mentions: 1, read: "e-1", tail: "e-4" },
    { ...told, id: "a", name: "a", about: "first by name", unread: 0, mentions: 0, read: null, tail: "e-0" },
  ]);
  assert.deepEqual(
    start.map(({ id }) => id),
    ["a", "deploys"],
  );
  /** @param {rooms.Rooms} list @param {ReturnType<typeof event>[]} events */
  const after = (list, ...events) => events.reduce((list, event) => rooms.fold(list, event, "Mara"), list);
  /** @param {rooms.Rooms} list */
  const counts = (list) => [list[1].unread, list[1].mentions];
  const posted = (/** @type {number} */ n, by = "Jonas", mentions = [""]) =>
    event(n, "message.posted", { by, text: "", mentions });
  const read = (/** @type {number} */ n) => event(n, "room.read", { room: "deploys", offset: `e-${n}` }, "users.Mara");

  const more = after(start, posted(4), posted(5), posted(6, "Mara"), posted(7, "Jonas", ["Mara"]));
  assert.deepEqual(counts(more), [5, 2], "one was counted by the server, one is one's own");
  assert.deepEqual(counts(after(more, read(2))), [5, 2], "it is not known how many of those the server counted");
  assert.deepEqual(counts(after(more, read(4))), [2, 1]);
  assert.deepEqual(counts(after(more, read(5))), [1, 1]);
  assert.deepEqual(counts(after(more, read(7))), [0, 0]);
  assert.deepEqual(counts(after(more, read(7), read(5))), [0, 0], "a marker moves forward only");
  assert.deepEqual(counts(after(more, read(7), event(8, "answer.posted", { by: "", text: "" }))), [1, 0]);
  assert.equal(after(start, ...Array.from({ length: 200 }, (_, n) => posted(n + 5)))[1].unread, 100);

  const left = after(start, event(5, "member.left", { member: "Mara" }), event(6, "room.renamed", { name: "0" }));
  assert.deepEqual([left[0].id, left[0].role, left[0].members], ["deploys", null, 1]);
  const banned = (/** @type {object} */ data) => after(start, event(5, "member.banned", data))[1];
  assert.deepEqual([banned({ member: "Mara", role: "member" }).role, banned({ member: "Mara" }).members], [null, 2]);
  assert.deepEqual([banned({ member: "Tom", role: "reader" }).members, banned({ member: "Tom" }).role], [1, "member"]);
});

test("a direct message is named after the other people, and each of its messages calls the person", () => {
  const about = { name: "", private: true, archived: false, role: "member", members: 3, unread: 0, mentions: 0 };
  const people = ["Ada", "Jonas", "Mara"];
  const [start] = rooms.listed([{ ...about, id: "deploys", people, read: null, tail: "e-1" }], "Jonas");
  assert.deepEqual([start.name, start.direct, rooms.signed(start)], ["Ada, Mara", true, "Ada, Mara"]);
  const said = event(2, "message.posted", { by: "Mara", text: "", mentions: [], everyone: ["Ada", "Jonas"] });
  const [next] = rooms.fold([start], said, "Jonas");
  assert.deepEqual([next.unread, next.mentions], [1, 1]);
  const [room] = rooms.listed([{ ...about, id: "a", name: "a", people: [], read: null, tail: "e-1" }], "Jonas");
  assert.deepEqual([room.name, room.direct, rooms.signed(room)], ["a", false, "#a"]);
});
