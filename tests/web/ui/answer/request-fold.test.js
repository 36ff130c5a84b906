import assert from "node:assert/strict";
import { test } from "node:test";

import { decided, questionOf, saidBy } from "../../../../src/tidings/web/ui/answer/request-fold.js";

/** @param {unknown} value @param {unknown} [schema] @returns {any} */
const asks = (value, schema = null) => questionOf({ value, schema });

const BATCH = {
  action_requests: [
    {
      name: "send",
      args: { to: "ann" },
      description: "Tool execution requires approval\n\nTool: send\nArgs: {'to': 'ann'}",
    },
    { name: "drop", args: {}, description: "Look twice" },
  ],
  review_configs: [
    { action_name: "send", allowed_decisions: ["approve", "edit", "reject"] },
    { action_name: "drop", allowed_decisions: ["reject", "respond"] },
  ],
};

test("the middleware's request is a review of each call", () => {
  const review = asks(BATCH);
  assert.deepEqual(
    review.actions.map((/** @type {any} */ { name, choices, description }) => [name, choices, description]),
    [
      ["send", ["approve", "edit", "reject"], ""],
      ["drop", ["reject", "respond"], "Look twice"],
    ],
  );
  assert.deepEqual(
    decided(review, [
      { choice: "edit", args: { to: "bob" } },
      { choice: "respond", text: "gone" },
    ]),
    {
      decisions: [
        { type: "edit", edited_action: { name: "send", args: { to: "bob" } } },
        { type: "respond", message: "gone" },
      ],
    },
  );
  assert.deepEqual(decided(review, [{ choice: "approve" }, { choice: "reject", text: "" }]), {
    decisions: [{ type: "approve" }, { type: "reject" }],
  });
});

test("an approval of one call has its decisions and its arguments from the schema", () => {
  const branch = (/** @type {string} */ type, more = {}) => ({
    type: "object",
    properties: { type: { const: type }, ...more },
  });
  const schema = {
    $defs: {
      Approve: branch("approve"),
      Reject: branch("reject"),
      Edit: branch("edit", { edited_action: { $ref: "#/$defs/Edited" } }),
      Edited: { type: "object", properties: { name: { const: "send" }, args: { $ref: "#/$defs/send" } } },
      send: { type: "object", properties: { to: { type: "string", title: "To" } }, required: ["to"] },
    },
    oneOf: [{ $ref: "#/$defs/Approve" }, { $ref: "#/$defs/Edit" }, { $ref: "#/$defs/Reject" }],
  };
  const value = { type: "tool_approval", tool_call_id: "c", name: "send", args: { to: "ann" }, description: "" };
  const review = asks(value, schema);
  assert.deepEqual(review.actions[0].choices, ["approve", "edit", "reject"]);
  assert.deepEqual(review.actions[0].schema.required, ["to"]);
  assert.deepEqual(decided(review, [{ choice: "reject", text: "no" }]), { type: "reject", message: "no" });
  assert.deepEqual(asks(value, branch("approve")).actions[0].choices, ["approve"]);
});

test("the interrupt of Agent Inbox is answered in its own form", () => {
  const one = {
    action_request: { action: "mail", args: { to: "ann" } },
    config: { allow_accept: true, allow_edit: true, allow_respond: true, allow_ignore: false },
    description: "# Look",
  };
  for (const value of [one, [one]]) {
    const review = asks(value);
    assert.deepEqual(review.actions[0].choices, ["approve", "edit", "respond"]);
    assert.deepEqual(decided(review, [{ choice: "approve" }]), [{ type: "accept", args: null }]);
    assert.deepEqual(decided(review, [{ choice: "reject" }]), [{ type: "ignore", args: null }]);
    assert.deepEqual(decided(review, [{ choice: "respond", text: "hm" }]), [{ type: "response", args: "hm" }]);
    const edit = { type: "edit", args: { action: "mail", args: { to: "bob" } } };
    assert.deepEqual(decided(review, [{ choice: "edit", args: { to: "bob" } }]), [edit]);
  }
});

test("a stop before a node, a text, an object, a schema and a list of options are questions, too", () => {
  assert.deepEqual(asks({ next: ["tools"] }), { kind: "pause", next: ["tools"] });
  assert.deepEqual(asks("Who?"), { kind: "open", text: "Who?", facts: undefined });
  assert.deepEqual(asks({ question: "Right?", total: 3 }), { kind: "open", text: "Right?", facts: { total: 3 } });
  assert.deepEqual(asks([1, 2]), { kind: "open", text: "", facts: [1, 2] });
  assert.deepEqual(asks(null), { kind: "open", text: "", facts: undefined });
  assert.equal(asks("Age?", { type: "integer" }).field.kind, "number");
  for (const key of ["schema", "response_schema", "requestedSchema"]) {
    const question = asks({ message: "Who?", [key]: { type: "object", properties: { name: { type: "string" } } } });
    assert.deepEqual([question.kind, question.text, question.facts], ["form", "Who?", undefined]);
  }
  assert.deepEqual(
    asks({ question: "Which?", options: ["a", "b"] }).field.options.map((/** @type {any} */ { value }) => value),
    ["a", "b"],
  );
  assert.equal(asks({ question: "Which?", options: [{ a: 1 }] }).kind, "open");
});

test("hostile questions stay questions", () => {
  const many = { action_requests: Array.from({ length: 1000 }, () => ({ name: "x", args: {} })), review_configs: [] };
  assert.equal(asks(many).kind, "open");
  for (const value of [
    { action_requests: [] },
    { action_requests: [5, null] },
    { type: "tool_approval" },
    [{ action_request: 5 }],
    { next: 5 },
  ])
    assert.equal(asks(value).kind, "open");
  const odd = asks({ action_requests: [{ name: "x", args: "text" }] });
  assert.deepEqual([odd.actions[0].args, odd.actions[0].choices], [{ input: "text" }, ["approve", "reject"]]);
  assert.ok(asks("x".repeat(1e6)).text.length < 5000);
});

test("an answer is told in few words", () => {
  const review = asks(BATCH);
  const says = (/** @type {unknown} */ answer, question = review) => Object.values(saidBy(question, answer)).join("|");
  assert.equal(says({ decisions: [{ type: "approve" }, { type: "approve" }] }), "Approved|");
  assert.equal(says({ decisions: [{ type: "approve" }, { type: "reject" }] }), "Decided|approved, rejected");
  assert.equal(says({ decisions: [{ type: "reject", message: "too much" }] }), "Rejected|too much");
  assert.equal(says([{ type: "response", args: "hm" }]), "Answered|hm");
  assert.equal(says([{ type: "ignore", args: null }]), "Ignored|");
  assert.equal(says("anything"), "Answered|anything");
  assert.equal(says(true, asks("Sure?")), "Answered|yes");
  assert.equal(says({ a: 1 }, asks("What?")), 'Answered|{"a":1}');
  assert.equal(says("x", asks({ next: [] })), "Continued|");
});
