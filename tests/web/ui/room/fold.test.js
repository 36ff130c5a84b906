import assert from "node:assert/strict";
import { test } from "node:test";

import { later } from "../../../../src/tidings/web/ui/log/offset-fold.js";
import * as room from "../../../../src/tidings/web/ui/room/fold.js";
import * as rooms from "../../../../src/tidings/web/ui/rooms/fold.js";

/** @param {number} n @param {string} type @param {any} data @param {string} [topic] */
const event = (n, type, data, topic = "rooms.deploys") => ({ topic, offset: `e-${n}`, type, time: n * 60, data });

/** @param {ReturnType<typeof event>[]} events */
const items = (...events) => new room.Stretch().add(events).items;

test("edits, deletions and reactions change the message they name", () => {
  const files = [{ id: "01J", name: "plan.pdf", type: "application/pdf", size: 4100 }];
  const [first, second, third] = items(
    event(1, "message.posted", { by: "Mara", text: "one", mentions: [] }),
    event(2, "message.posted", { by: "Jonas", text: "@Mara two", mentions: ["Mara"], files }),
    event(3, "message.posted", {
      by: "Jonas",
      key: "k",
      text: "three",
      reply: "e-1",
      quote: { by: "Mara", text: "one" },
      files,
    }),
    event(4, "message.edited", { by: "Mara", message: "e-1", text: "one, better" }),
    event(5, "reaction.added", { by: "Jonas", message: "e-1", emoji: "👍" }),
    event(6, "reaction.added", { by: "Aiko", message: "e-1", emoji: "👍" }),
    event(7, "reaction.added", { by: "Jonas", message: "e-1", emoji: "👍" }),
    event(8, "reaction.added", { by: "Jonas", message: "e-3", emoji: "👀" }),
    event(9, "reaction.removed", { by: "Jonas", message: "e-3", emoji: "👀" }),
    event(9, "reaction.added", { by: "Jonas", message: "e-3", emoji: "__proto__" }),
    event(9, "reaction.added", { by: "Jonas", message: "e-3", emoji: "toString" }),
    event(9, "toString", { by: "Jonas" }),
    event(10, "message.deleted", { by: "Jonas", message: "e-2" }),
    event(11, "message.edited", { by: "Jonas", message: "e-2", text: "I was never gone" }),
    event(12, "message.edited", { by: "Jonas", message: "e-999", text: "of a page before" }),
    event(13, "something.else", { by: "Jonas" }),
    { ...event(14, "message.posted", { by: "Jonas", text: "transient" }), offset: /** @type {any} */ (null) },
    event(15, "message.posted", null),
  );
  assert.deepEqual(first, {
    ...{ kind: "message", key: "e-1", sendKey: null, offset: "e-1", time: 60, by: "Mara", text: "one, better" },
    ...{
      stated: "e-4",
      edited: true,
      deleted: false,
      quote: null,
      mentions: [],
      everyone: [],
      asks: [],
      files: [],
      reactions: { "👍": ["Aiko", "Jonas"] },
    },
  });
  assert.deepEqual(
    [
      second.kind,
      /** @type {any} */ (second).deleted,
      /** @type {any} */ (second).text,
      /** @type {any} */ (second).files,
    ],
    ["message", true, "", []],
  );
  assert.deepEqual(
    [third.key, /** @type {any} */ (third).sendKey, /** @type {any} */ (third).files],
    ["e-3", "k", files],
  );
  assert.deepEqual(/** @type {any} */ (third).quote, { message: "e-1", by: "Mara", text: "one" });
  assert.deepEqual(Object.entries(/** @type {any} */ (third).reactions), [
    ["__proto__", ["Jonas"]],
    ["toString", ["Jonas"]],
  ]);
});

test("an edit says anew whom a message calls", () => {
  const called = (/** @type {object} */ data) => ({ by: "Mara", text: "@room", mentions: [], ...data });
  const edit = { ...called({ everyone: ["Tom"], mentions: ["Ada"] }), author: "Mara", message: "e-1" };
  const [first] = items(event(1, "message.posted", called({ everyone: ["Tom", "Ada"] })));
  const [then] = items(event(1, "message.posted", called({})), event(2, "message.edited", edit));
  assert.deepEqual(/** @type {any} */ (first).everyone, ["Tom", "Ada"]);
  assert.deepEqual([/** @type {any} */ (then).everyone, /** @type {any} */ (then).mentions], [["Tom"], ["Ada"]]);
});

test("an answer stands where its run began and is named by its post", () => {
  const run = { run: "r", assistant: "docs", input: "why", by: "Mara", parent: null };
  const answer = { run: "r", assistant: "docs", text: "Because.", outcome: "success", asked: "e-1", by: "" };
  const begun = event(2, "run.created", run);
  const said = event(3, "message.posted", { by: "Jonas", text: "meanwhile" });
  const done = event(4, "answer.posted", answer);
  const reacted = event(5, "reaction.added", { by: "Mara", message: "e-4", emoji: "👍" });
  const [first, second] = items(begun, said, done, reacted);
  assert.equal(second.key, "e-3");
  assert.deepEqual(
    { ...first },
    {
      ...{ kind: "answer", key: "run-r", offset: "e-2", time: 120, run: "r", assistant: "docs", by: "Mara" },
      ...{ posted: "e-4", text: "Because.", outcome: "success", deleted: false, reactions: { "👍": ["Mara"] } },
    },
  );
  const [alone] = items(done);
  assert.deepEqual([alone.key, alone.offset, room.idOf(alone)], ["run-r", "e-4", "e-4"]);
  assert.equal(items(begun, begun, done, done).length, 1);
});

test("a stretch of the log is the same wherever reading began", () => {
  const log = [
    event(1, "room.created", { by: "Mara", name: "deploys" }),
    event(2, "message.posted", { by: "Mara", text: "one" }),
    event(3, "run.created", { run: "r", assistant: "docs", by: "Mara" }),
    event(4, "message.posted", { by: "Jonas", text: "two", reply: "e-2", quote: { by: "Mara", text: "one" } }),
    event(5, "reaction.added", { by: "Jonas", message: "e-2", emoji: "👍" }),
    event(6, "message.edited", { by: "Mara", message: "e-2", text: "won" }),
    event(7, "answer.posted", { run: "r", assistant: "docs", text: "Because.", outcome: "success" }),
    event(8, "reaction.added", { by: "Mara", message: "e-7", emoji: "👍" }),
    event(9, "reaction.removed", { by: "Jonas", message: "e-2", emoji: "👍" }),
    event(10, "message.deleted", { by: "Jonas", message: "e-4" }),
    event(11, "message.posted", { by: "Aiko", text: "three" }),
  ];
  const whole = items(...log);
  assert.equal(whole.length, 5);
  for (let b = 0; b <= log.length; b++)
    for (let a = 0; a <= b; a++) {
      const stretch = new room.Stretch().add(log.slice(b));
      const held = stretch.items.length;
      stretch
        .before(log.slice(a, b))
        .before(log.slice(0, a))
        .add([event(12, "unknown", {})]);
      assert.deepEqual(stretch.items, whole, `read from ${b}, ${a} and 0`);
      assert.ok(stretch.above <= 5 && stretch.above >= 5 - held);
      assert.deepEqual([stretch.get("e-7"), stretch.get("e-4")], [whole[2], whole[3]]);
    }
});

test("an edit restates a redacted message, and a deletion leaves its place", () => {
  const redacted = (/** @type {number} */ n, /** @type {string} */ type) =>
    event(n, "tidings.redacted", { topic: "rooms.deploys", offset: `e-${n}`, type });
  const quote = { by: "Jonas", text: "" };
  const log = [
    redacted(1, "message.posted"),
    redacted(2, "message.posted"),
    event(3, "run.created", { run: "r", assistant: "docs", by: "Mara" }),
    redacted(4, "answer.posted"),
    redacted(5, "message.edited"),
    event(6, "message.edited", {
      by: "Mara",
      message: "e-1",
      text: "new",
      author: "Mara",
      reply: "e-2",
      quote,
      key: "k",
    }),
    event(7, "message.deleted", { by: "Jonas", message: "e-2" }),
    event(8, "message.deleted", { by: "Mara", message: "e-4", run: "r" }),
    event(9, "message.edited", { by: "", message: "e-1", text: "new", author: "Mara" }),
  ];
  const whole = items(...log);
  assert.deepEqual(
    whole.map((item) => [item.kind, item.by, /** @type {any} */ (item).text, /** @type {any} */ (item).deleted]),
    [
      ["message", "Mara", "new", false],
      ["message", "", "", true],
      ["answer", "Mara", "", true],
    ],
  );
  assert.equal(/** @type {any} */ (whole[0]).edited, true);
  for (let at = 0; at <= log.length; at++)
    assert.deepEqual(new room.Stretch().add(log.slice(at)).before(log.slice(0, at)).items, whole, `read from ${at}`);
});

test("a redaction that is announced removes the text, unless an edit restates it", () => {
  const announced = (/** @type {number} */ n, /** @type {string} */ type) => ({
    ...event(n, "tidings.redacted", { topic: "rooms.deploys", offset: `e-${n}`, type }),
    offset: null,
  });
  const log = [
    event(1, "message.posted", { by: "Mara", text: "kept", files: [] }),
    event(2, "message.posted", { by: "Mara", text: "secret", reply: "e-1", quote: { by: "Mara", text: "kept" } }),
    event(3, "answer.posted", { run: "r", by: "Mara", text: "secret", outcome: "success" }),
    event(4, "message.edited", { by: "Mara", message: "e-1", text: "restated", author: "Mara" }),
  ];
  const texts = (/** @type {import("../../../../src/tidings/web/ui/room/fold.js").Items} */ all) =>
    all.map((item) => [/** @type {any} */ (item).text, /** @type {any} */ (item).deleted]);
  const stretch = new room.Stretch().add(log);
  stretch.add([announced(1, "message.posted"), announced(2, "message.posted"), announced(3, "answer.posted")]);
  const before = [
    ["restated", false],
    ["", true],
    ["", true],
  ];
  assert.deepEqual(texts(stretch.items), before);
  assert.deepEqual(/** @type {any} */ (stretch.items[1]).quote, null);
  stretch.add([announced(4, "message.edited"), announced(99, "message.posted")]);
  assert.deepEqual(texts(stretch.items)[0], ["", true]);
});
