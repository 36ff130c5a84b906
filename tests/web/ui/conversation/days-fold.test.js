import assert from "node:assert/strict";
import test from "node:test";
import { byDay } from "../../../../src/tidings/web/ui/conversation/days-fold.js";

/** Conversations that began so many days ago, newest first. @param {number[]} days */
const begun = (...days) => days.map((created, n) => ({ id: `c${n}`, title: `${n}`, created }));
const daysAgo = (/** @type {number} */ time) => time;

/** @param {ReturnType<typeof byDay>} days */
const ids = (days) => days.map(([day, items]) => [day, items.map(({ id }) => id).join(" ")]);

test("conversations are listed under their days, and days without any are left out", () => {
  const days = byDay(begun(0, 0, 1, 2, 7, 30, 31), { most: 20, open: null, daysAgo });
  assert.deepEqual(ids(days), [
    ["Today", "c0 c1"],
    ["Yesterday", "c2"],
    ["Previous 7 days", "c3 c4"],
    ["Previous 30 days", "c5"],
    ["Older", "c6"],
  ]);
});

test("the newest are shown, and the open one however old it is", () => {
  const days = byDay(begun(0, 0, 1, 40, 50), { most: 2, open: "c4", daysAgo });
  assert.deepEqual(ids(days), [
    ["Today", "c0 c1"],
    ["Older", "c4"],
  ]);
});

test("a conversation from the future, by another clock, began today", () => {
  assert.deepEqual(ids(byDay(begun(-1), { most: 2, open: null, daysAgo })), [["Today", "c0"]]);
});
