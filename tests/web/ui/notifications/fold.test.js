import assert from "node:assert/strict";
import { test } from "node:test";

import * as notifications from "../../../../src/tidings/web/ui/notifications/fold.js";

/** @typedef {notifications.Notifications} State */

let clock = 0;

/** @param {string} type @param {any} data @param {string | null} [offset] */
const event = (type, data, offset = `e-${(clock += 1)}`) => ({ topic: "users.mara", offset, type, time: clock, data });

/** @param {State} state @param {[string, any][]} events */
const folded = (state, ...events) =>
  events.reduce((state, [type, data]) => notifications.fold(state, event(type, data)), state);

/** @param {number} n @param {object} [more] @returns {[string, any][]} */
const told = (n, more = {}) =>
  Array.from({ length: n }, (_, at) => ["notification.created", { title: `T${at}`, ...more }]);

/** @param {State} state */
const titles = (state) => state.items.map(({ title, read }) => `${title}${read ? "" : "*"}`);

test("notifications are listed newest first, once each, with defaults for missing fields", () => {
  const one = event("notification.created", { title: "One", kind: "mention", by: "Jonas", link: "/r/lobby" });
  const twice = [one, one].reduce(notifications.fold, notifications.none);
  assert.deepEqual(titles(folded(twice, ["notification.created", { title: "Two" }])), ["Two*", "One*"]);
  assert.equal(folded(notifications.none, ["notification.created", { title: "Two" }]).items[0].kind, "notice");
  assert.equal(notifications.fold(twice, event("notification.created", { title: "Cast" }, null)), twice);
  for (const data of [null, 7, "text", []]) folded(twice, ["notification.created", data], ["notification.read", data]);
});

test("notifications are read one by one or up to one, and repeated events change nothing", () => {
  const state = folded(notifications.none, ...told(3));
  const [newest, middle, oldest] = state.items.map(({ offset }) => offset);
  const one = folded(state, ["notification.read", { offsets: [middle] }], ["notification.read", { offsets: [middle] }]);
  assert.deepEqual(titles(one), ["T2*", "T1", "T0*"]);
  assert.equal(notifications.unread(one), 2);
  assert.deepEqual(titles(folded(one, ["notification.read", { upto: middle }])), ["T2*", "T1", "T0"]);
  assert.equal(notifications.unread(folded(one, ["notification.read", { upto: newest }])), 0);
  assert.deepEqual(titles(folded(state, ["notification.read", { upto: oldest }])), ["T2*", "T1*", "T0"]);
  assert.deepEqual(titles(folded(state, ["notification.read", { upto: "other-9" }])), ["T2*", "T1*", "T0*"]);
});

test("beyond a hundred only the number of unread ones is known", () => {
  const state = folded(notifications.none, ...told(notifications.MOST + 20));
  assert.equal(state.items.length, notifications.MOST);
  assert.equal(notifications.unread(state), notifications.MOST + 20);
  const some = folded(state, ["notification.read", { offsets: ["long-1", state.items[0].offset] }]);
  assert.equal(notifications.unread(some), notifications.MOST + 18);
  assert.equal(notifications.unread(folded(state, ["notification.read", { upto: state.items[0].offset }])), 0);
});

test("a muted topic is quiet but for mentions, and Do not disturb has an end", () => {
  const muted = folded(
    notifications.none,
    ["topic.muted", { topic: "rooms.b" }],
    ["topic.muted", { topic: "rooms.a" }],
  );
  assert.deepEqual(muted.muted, ["rooms.a", "rooms.b"]);
  const after = folded(
    muted,
    ["notification.created", { title: "Reply", kind: "reply", topic: "rooms.a" }],
    ["notification.created", { title: "Mention", kind: "mention", topic: "rooms.a" }],
    ["notification.created", { title: "Elsewhere", topic: "rooms.c" }],
  );
  assert.deepEqual(titles(after), ["Elsewhere*", "Mention*", "Reply"]);
  assert.deepEqual(folded(after, ["topic.unmuted", { topic: "rooms.a" }]).muted, ["rooms.b"]);
  assert.equal(folded(after, ["dnd.set", { until: 60 }]).dnd, 60);
  assert.equal(folded(after, ["dnd.set", { until: 60 }], ["dnd.set", { until: null }]).dnd, null);
});

test("a notification is read with its message in the room", () => {
  const mention = { title: "M", kind: "mention", topic: "rooms.a", event: "x-5" };
  const before = folded(
    notifications.none,
    ["notification.created", mention],
    ["room.read", { room: "a", offset: "x-4" }],
  );
  assert.deepEqual(titles(before), ["M*"]);
  assert.deepEqual(titles(folded(before, ["room.read", { room: "b", offset: "x-9" }])), ["M*"]);
  const read = folded(before, ["room.read", { room: "a", offset: "x-5" }], ["room.read", { room: "a", offset: "x-2" }]);
  assert.deepEqual(titles(read), ["M"]);
  assert.deepEqual(titles(folded(read, ["notification.created", { ...mention, title: "Late" }])), ["Late", "M"]);
});

test("the snapshot gives the same state as the events", () => {
  const [item] = folded(notifications.none, ...told(1)).items;
  const state = notifications.from({ notifications: [item], unread: 8, muted: ["t"], dnd: 5, offset: "e-9" });
  assert.deepEqual([notifications.unread(state), state.older, state.muted, state.dnd], [8, 7, ["t"], 5]);
});

test("a notification whose content is removed is gone, and is not unread", () => {
  const all = folded(notifications.none, ...told(3));
  const [third, second] = all.items;
  const left = notifications.fold(all, event("tidings.redacted", { offset: second.offset }, null));
  assert.deepEqual(titles(left), ["T2*", "T0*"]);
  const less = folded(left, ["notification.withdrawn", { offsets: [third.offset] }]);
  assert.deepEqual([titles(less), notifications.unread(less)], [["T0*"], 1]);
  for (const data of [{}, { offset: 7 }, { offsets: "e-1" }])
    folded(less, ["tidings.redacted", data], ["notification.withdrawn", data]);
});
