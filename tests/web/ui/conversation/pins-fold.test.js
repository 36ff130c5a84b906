import assert from "node:assert/strict";
import test from "node:test";
import { fold, none } from "../../../../src/tidings/web/ui/conversation/pins-fold.js";

/** @param {[string, any][]} events */
const folded = (...events) =>
  events.reduce(
    (pins, [type, data]) => fold(pins, { topic: "users.x.conversations", offset: "e-1", type, time: 0, data }),
    none,
  );

test("pins keep the order of pinning, each once", () => {
  const pins = folded(
    ["topic.pinned", { topic: "rooms.b" }],
    ["topic.pinned", { topic: "conversations.a" }],
    ["topic.pinned", { topic: "rooms.b" }],
  );
  assert.deepEqual(pins, ["rooms.b", "conversations.a"]);
});

test("a topic is unpinned, and a conversation that was deleted is pinned no more", () => {
  const both = [
    ["topic.pinned", { topic: "rooms.b" }],
    ["topic.pinned", { topic: "conversations.a" }],
  ];
  assert.deepEqual(folded(.../** @type {any} */ (both), ["topic.unpinned", { topic: "rooms.b" }]), ["conversations.a"]);
  assert.deepEqual(folded(.../** @type {any} */ (both), ["conversation.deleted", { id: "a" }]), ["rooms.b"]);
});

test("other events and bad data change nothing", () => {
  const pins = folded(["topic.pinned", { topic: "rooms.b" }]);
  for (const [type, data] of [
    ["topic.pinned", null],
    ["topic.pinned", { topic: 7 }],
    ["conversation.renamed", { id: "b", title: "x" }],
    ["topic.unpinned", { topic: "rooms.c" }],
  ])
    assert.equal(fold(pins, { topic: "t", offset: "e-1", type: String(type), time: 0, data }), pins);
});
