import assert from "node:assert/strict";
import { test } from "node:test";

import * as conversation from "../../../../src/tidings/web/ui/conversation/fold.js";
import * as conversations from "../../../../src/tidings/web/ui/conversation/list-fold.js";

let clock = 0;

/** @param {string} type @param {any} data */
const event = (type, data) => ({ topic: "t", offset: `e-${(clock += 1)}`, type, time: clock, data });

/**
 * @template T
 * @param {(state: T, event: ReturnType<typeof event>) => T} fold
 * @param {T} start
 * @param {[string, any][]} events
 */
const folded = (fold, start, ...events) =>
  events.reduce((state, [type, data]) => fold(state, event(type, data)), start);

test("the list is newest first, once each, renamed and deleted", () => {
  const list = folded(
    conversations.fold,
    conversations.none,
    ["conversation.created", { id: "a", title: "A" }],
    ["conversation.created", { id: "b", title: "B" }],
    ["conversation.created", { id: "a", title: "A again" }],
    ["conversation.renamed", { id: "a", title: "A2" }],
    ["conversation.created", { id: "c", title: " " }],
    ["conversation.deleted", { id: "b" }],
    ["something.else", { id: "x" }],
    ["conversation.created", null],
    ["conversation.created", { id: 7 }],
  );
  assert.deepEqual(
    list.map(({ id, title }) => [id, title]),
    [
      ["c", "Untitled"],
      ["a", "A2"],
    ],
  );
});
