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

test("an answer has steps, text from deltas, sources, usage and an end", () => {
  const answer = folded(
    run.fold,
    run.unread,
    ["run.started", { assistant: "docs", model: "m" }],
    ["tool.started", { call: "t1", tool: "search", input: { q: 1 } }],
    ["tool.finished", { call: "t1", output: "found" }],
    ["block.started", { block: "b1", kind: "text" }],
    ["block.delta", { block: "b1", kind: "text", delta: "Hel" }],
    ["block.delta", { block: "b1", kind: "text", delta: "lo" }],
    ["block.started", { block: "b2", kind: "source" }],
    [
      "block.finished",
      { block: "b2", kind: "source", content: { n: 1, title: "T", path: "p.md", lines: [1, 2], passage: "words" } },
    ],
    ["block.finished", { block: "b1", kind: "text", content: "Hello.", status: "complete" }],
    ["message.finished", { finish: "stop", usage: { input_tokens: 3, output_tokens: 5 } }],
    ["run.finished", { outcome: "success", usage: [{ output_tokens: 5 }, { output_tokens: 2 }] }],
  );
  assert.equal(answer.state, "finished");
  assert.equal(run.textOf(answer), "Hello.");
  assert.deepEqual(
    answer.parts.map(({ kind }) => kind),
    ["step", "text"],
  );
  assert.deepEqual(
    answer.sources.map(({ n, title, lines }) => [n, title, lines]),
    [[1, "T", [1, 2]]],
  );
  assert.deepEqual([answer.model, answer.tokens, answer.finish], ["m", 7, "stop"]);
  assert.equal(answer.offset, `e-${clock}`);
});

test("a tool that is tried again stays the same step", () => {
  const failed = folded(
    run.fold,
    run.unread,
    ["run.started", {}],
    ["tool.started", { call: "t1", tool: "search", input: { q: 1 } }],
    ["tool.failed", { call: "t1", error: "It failed." }],
    ["block.started", { block: "b1", kind: "text" }],
  );
  const begun = run.fold(failed, event("tool.started", { call: "t1", tool: "search", input: { q: 1 } }));
  assert.deepEqual(
    begun.parts.map((part) => [part.kind, part.kind === "step" && part.error]),
    [
      ["step", null],
      ["text", false],
    ],
  );
  const [step] = run.fold(begun, event("tool.finished", { call: "t1", output: "found" })).parts;
  assert.ok(step.kind === "step");
  assert.deepEqual([step.output, step.error], ["found", null]);
});

test("merged deltas give the same text from any starting point", () => {
  const one = folded(
    run.fold,
    run.unread,
    ["block.delta", { block: "b", delta: "a" }],
    ["block.delta", { block: "b", delta: "b" }],
  );
  const merged = folded(run.fold, run.unread, ["block.delta", { block: "b", delta: "ab" }]);
  assert.equal(run.textOf(one), run.textOf(merged));
  assert.equal(one.state, "streaming");
});

for (const [outcome, state] of [
  ["cancelled", "stopped"],
  ["interrupted", "interrupted"],
  ["something new", "interrupted"],
]) {
  test(`${outcome} is shown as ${state}, with the text so far and nothing open`, () => {
    const answer = folded(
      run.fold,
      run.unread,
      ["block.delta", { block: "b", delta: "half" }],
      ["tool.started", { call: "t", tool: "x" }],
      ["stop.requested", { by: "mara" }],
      ["run.finished", { outcome }],
    );
    assert.deepEqual(
      [answer.state, run.textOf(answer), run.isLive(answer), answer.stoppedBy],
      [state, "half", false, "mara"],
    );
    assert.ok(answer.parts.every((part) => part.ended !== null));
  });
}

test("a failure keeps the text, the message and the code", () => {
  const answer = folded(
    run.fold,
    run.unread,
    ["block.delta", { block: "b", delta: "x" }],
    ["run.failed", { message: "No.", code: "c" }],
  );
  assert.deepEqual(
    [answer.state, answer.error, run.textOf(answer)],
    ["failed", { message: "No.", code: "c", retryable: true, retryAfter: null }, "x"],
  );
});

test("a failure says whether and when to try again", () => {
  const failed = (/** @type {any} */ data) => folded(run.fold, run.unread, ["run.failed", data]).error;
  assert.deepEqual(failed({ message: "Busy.", code: "rate_limit", retryable: true, retry_after: 20 }), {
    message: "Busy.",
    code: "rate_limit",
    retryable: true,
    retryAfter: 20,
  });
  assert.equal(failed({ code: "refused", retryable: false })?.retryable, false);
});

test("a text has the name of the agent that says it", () => {
  const answer = folded(
    run.fold,
    run.unread,
    ["message.started", { message: "m1", name: "researcher" }],
    ["block.started", { message: "m1", block: "m1.0", kind: "text" }],
    ["message.started", { message: "m2" }],
    ["block.delta", { message: "m2", block: "m2.0", kind: "text", delta: "x" }],
  );
  assert.deepEqual(
    answer.parts.map((part) => part.kind === "text" && part.agent),
    ["researcher", null],
  );
});

test("malformed events do no harm", () => {
  const odd = [
    null,
    7,
    "text",
    [],
    {},
    { kind: "text" },
    { content: 5 },
    { content: { n: "x" } },
    { usage: "no", error: {} },
  ];
  const types = [
    "run.started",
    "block.started",
    "block.delta",
    "block.finished",
    "tool.started",
    "tool.finished",
    "tool.failed",
    "message.finished",
    "stop.requested",
    "unknown",
  ];
  for (const type of types) for (const data of odd) assert.ok(run.fold(run.unread, event(type, data)).parts);
});

test("a question to a person waits for the first answer, and data is a card that data with its id replaces", () => {
  const question = { request: "q", value: "Sure?", schema: null, error: null };
  const asking = folded(run.fold, run.unread, ["run.started", {}], ["input.requested", question]);
  assert.deepEqual(
    run.openRequests(asking).map(({ id, value }) => [id, value]),
    [["q", "Sure?"]],
  );
  const answered = folded(
    run.fold,
    asking,
    ["input.resolved", { request: "q", value: false, by: "Ann" }],
    ["input.resolved", { request: "q", value: true, by: "Bob" }],
    ["input.requested", { ...question, request: "q.2", error: "Not so." }],
    ["data", { name: "custom", value: { id: "x", n: 1 }, id: "x" }],
    ["data", { name: "custom", value: "line" }],
    ["data", { name: "custom", value: { id: "x", n: 2 }, id: "x" }],
  );
  assert.deepEqual(
    answered.parts.map((part) =>
      part.kind === "request" ? [part.answer, part.error] : /** @type {any} */ (part).value,
    ),
    [[{ value: false, by: "Ann" }, null], [null, "Not so."], { id: "x", n: 2 }, "line"],
  );
  assert.equal(run.openRequests(answered).length, 1);
  const over = folded(run.fold, answered, ["run.finished", { outcome: "interrupted" }]);
  assert.deepEqual(run.openRequests(over), []);
  assert.equal(run.textOf(over), "");
});

test("the oldest data gives way, so that an agent that writes for ever costs a bounded page", () => {
  const events = Array.from(
    { length: 1000 },
    (_, n) => /** @type {[string, any]} */ (["data", { name: "n", value: n }]),
  );
  const { parts } = folded(run.fold, run.unread, ["block.started", { block: "b", kind: "text" }], ...events);
  assert.equal(parts.length, 201);
  assert.deepEqual([parts[0].kind, /** @type {any} */ (parts[200]).value], ["text", 999]);
  assert.equal(new Set(parts.map(({ id }) => id)).size, 201);
});
