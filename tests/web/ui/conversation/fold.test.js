import assert from "node:assert/strict";
import { test } from "node:test";

import * as conversation from "../../../../src/tidings/web/ui/conversation/fold.js";
import * as run from "../../../../src/tidings/web/ui/answer/fold.js";

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

/** @param {conversation.Conversation} state @param {Record<string, number>} [chosen] */
const shown = (state, chosen = {}) => conversation.path(state, chosen).shown.map(({ run }) => run);

test("a run with a parent is another version of its turn, and a repeated run counts once", () => {
  const state = folded(
    conversation.fold,
    conversation.empty,
    ["run.created", { run: "r1", input: "one", assistant: "docs", parent: null, by: "mara" }],
    ["run.created", { run: "r2", input: "two", parent: null }],
    ["run.created", { run: "r3", input: "one, better", parent: "r1" }],
    ["run.created", { run: "r4", input: "one, best", parent: "r3" }],
    ["run.created", { run: "r2", input: "two", parent: null }],
    ["run.created", { run: "r5", input: "its parent is gone", parent: "nobody" }],
    ["run.created", { run: 5 }],
    ["run.created", null],
  );
  assert.deepEqual(
    conversation.places(state).map((turn) => turn.map(({ run }) => run)),
    [["r1", "r3", "r4"], ["r2"], ["r5"]],
  );
  assert.equal(state.versions[0].by, "mara");
  assert.deepEqual(shown(state), ["r4", "r5"]);
  assert.deepEqual(shown(state, { r1: 0 }), ["r1", "r2"]);
  assert.deepEqual(shown(state, { r1: 1 }), ["r3"]);
  assert.deepEqual(shown(state, { r1: Infinity }), ["r4", "r5"]);
});

test("the next question follows the branch that was chosen last, and old logs have one branch", () => {
  const two = folded(
    conversation.fold,
    conversation.empty,
    ["run.created", { run: "a", input: "one" }],
    ["run.created", { run: "b", input: "two" }],
    ["run.created", { run: "c", input: "one, otherwise", parent: "a" }],
    ["run.created", { run: "d", input: "after it" }],
    ["branch.chosen", { run: "b" }],
    ["branch.chosen", { run: "nobody" }],
    ["run.created", { run: "e", input: "three" }],
  );
  assert.deepEqual(shown(two), ["a", "b", "e"]);
  assert.deepEqual(shown(two, { a: 1 }), ["c", "d"]);
  assert.deepEqual(
    conversation.line(two, "d").map(({ run }) => run),
    ["c", "d"],
  );
});

test("an answer's rating is the last one", () => {
  const rated = folded(
    conversation.fold,
    conversation.empty,
    ["run.created", { run: "a", input: "one" }],
    ["answer.rated", { run: "a", rating: "up" }],
    ["answer.rated", { run: "nobody", rating: "up" }],
  );
  assert.equal(rated.versions[0].rating, "up");
  const taken = folded(conversation.fold, rated, ["answer.rated", { run: "a", rating: null }]);
  assert.equal(taken.versions[0].rating, null);
});

test("a question has the files that its run names, as far as they are files", () => {
  const file = { id: "01JD9W3K5T8Q2R7V4X6Y9Z0ABC", name: "tide.png", type: "image/png", size: 3 };
  const odd = [null, "x", {}, { ...file, id: "../x" }, { ...file, name: 5 }, { ...file, size: "3" }];
  const asked = folded(
    conversation.fold,
    conversation.empty,
    ["run.created", { run: "a", input: "one", files: [file, ...odd] }],
    ["run.created", { run: "b", input: "two", files: "none" }],
    ["run.created", { run: "c", input: "three" }],
  );
  assert.deepEqual(
    asked.versions.map(({ files }) => files),
    [[file], [], []],
  );
});
