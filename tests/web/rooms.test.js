import assert from "node:assert/strict";
import { test } from "node:test";

import * as drawn from "../../src/tidings/web/ui/room/visible-range-fold.js";
import { distance, isRead, later } from "../../src/tidings/web/ui/log/offset-fold.js";
import * as presence from "../../src/tidings/web/ui/people/fold.js";
import * as room from "../../src/tidings/web/ui/room/fold.js";
import * as rooms from "../../src/tidings/web/ui/rooms/fold.js";
import { newsFrom, rows } from "../../src/tidings/web/ui/room/rows-fold.js";
import { pieces } from "../../src/tidings/web/ui/text/message.js";

/** @param {number} n @param {string} type @param {any} data @param {string} [topic] */
const event = (n, type, data, topic = "rooms.deploys") => ({ topic, offset: `e-${n}`, type, time: n * 60, data });

/** @param {ReturnType<typeof event>[]} events */
const items = (...events) => new room.Stretch().add(events).items;

test("messages are edited, deleted and reacted to, each by what names them", () => {
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
    ...{ kind: "message", key: "e-1", letter: null, offset: "e-1", time: 60, by: "Mara", text: "one, better" },
    ...{ edited: true, deleted: false, quote: null, mentions: [], files: [], reactions: { "👍": ["Aiko", "Jonas"] } },
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
    [third.key, /** @type {any} */ (third).letter, /** @type {any} */ (third).files],
    ["e-3", "k", files],
  );
  assert.deepEqual(/** @type {any} */ (third).quote, { message: "e-1", by: "Mara", text: "one" });
  assert.deepEqual(Object.entries(/** @type {any} */ (third).reactions), [
    ["__proto__", ["Jonas"]],
    ["toString", ["Jonas"]],
  ]);
});

test("an answer stands where its run began, and is named by where it was posted", () => {
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

test("a stretch of the log is the same wherever its reading began", () => {
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

test("a part of a long log is drawn, which goes along with whoever scrolls", () => {
  const held = { start: -400, end: 100, screen: 30 };
  assert.deepEqual(drawn.first(held), { from: 70, to: Infinity });
  assert.deepEqual(drawn.first({ ...held, start: 80 }), { from: 80, to: Infinity });
  assert.deepEqual(drawn.first(held, 90), { from: 65, to: Infinity }, "with the line above what is new");
  assert.deepEqual(drawn.first(held, -300), { from: -325, to: -125 }, "which may be far above the end");
  assert.deepEqual(drawn.around(held, -390), { from: -400, to: -340 });
  assert.deepEqual(drawn.around(held, 99), { from: 49, to: Infinity });

  let part = drawn.first(held);
  for (const from of [20, -30, -80, -130]) assert.equal((part = drawn.upwards(part, held)).from, from);
  assert.deepEqual(part, { from: -130, to: 70 });
  while (part.from > held.start) part = drawn.upwards(part, held);
  assert.deepEqual(part, { from: -400, to: -200 });
  while (part.to !== Infinity) part = drawn.downwards(part, held);
  assert.deepEqual(part, { from: -100, to: Infinity });

  assert.equal(drawn.grown(part, held, false), part);
  assert.deepEqual(drawn.grown(part, { ...held, end: 150 }, false), { from: -40, to: Infinity }, "the end is followed");
  assert.deepEqual(
    drawn.grown(part, { ...held, end: 150 }, true),
    { from: -100, to: 100 },
    "or what one looks at stays",
  );
  const tall = { ...held, screen: 100 };
  assert.deepEqual(drawn.upwards(drawn.first(tall, -150), tall), { from: -225, to: Infinity }, "4 screens stay");
});

test("what the room is goes on from what the server told", () => {
  const about = {
    name: "deploys",
    about: "",
    private: false,
    archived: false,
    members: { Mara: /** @type {const} */ ("owner") },
  };
  const later = [
    event(1, "member.joined", { by: "Jonas", member: "Jonas", role: "member" }),
    event(2, "member.role", { by: "Mara", member: "Jonas", role: "reader" }),
    event(3, "room.renamed", { by: "Mara", name: "drains", about: "Releases" }),
    event(4, "room.archived", { by: "Mara" }),
  ].reduce(room.foldAbout, about);
  assert.deepEqual(later, {
    ...{ name: "drains", about: "Releases", private: false, archived: true },
    members: { Mara: "owner", Jonas: "reader" },
  });
  const gone = [event(5, "member.left", { member: "Jonas" }), event(6, "room.restored", {})].reduce(
    room.foldAbout,
    later,
  );
  assert.deepEqual([gone.members, gone.archived], [{ Mara: "owner" }, false]);
});

test("rows have days, the line above what is new, and who goes on speaking", () => {
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

test("what others write is unread, until it is read on any device", () => {
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
});

test("presence is the sum over the processes that still speak", () => {
  const say = (/** @type {string} */ process, /** @type {object} */ here) =>
    event(0, "presence", { process, here }, "presence");
  let state = presence.fold(presence.nobody, say("a", { Mara: 2, Jonas: 0 }), 100);
  state = presence.fold(state, say("b", { Mara: 1, Aiko: 1 }), 110);
  state = presence.fold(state, event(0, "presence", { nothing: "of it" }), 110);
  assert.deepEqual([...presence.here(state, 111)], [["Mara", 3], ["Aiko", 1]]); // prettier-ignore
  assert.deepEqual([...presence.here(state, 113)], [["Mara", 1], ["Aiko", 1]]); // prettier-ignore
  assert.deepEqual([...presence.here(state, 130)], []);
});

test("typing ends after five seconds, and at once with what was typed", () => {
  let typing = presence.foldTyping(presence.quiet, event(0, "typing", { by: "Aiko" }), 100);
  typing = presence.foldTyping(typing, event(0, "typing", { by: "Jonas" }), 102);
  typing = presence.foldTyping(typing, event(0, "reaction.added", { by: "Aiko" }), 102);
  assert.deepEqual(presence.typists(typing, 104), ["Aiko", "Jonas"]);
  assert.deepEqual(presence.typists(typing, 106), ["Jonas"]);
  typing = presence.foldTyping(typing, event(0, "message.posted", { by: "Jonas" }), 106);
  assert.deepEqual(presence.typists(typing, 106), []);
});

test("offsets of one life are before or after each other; another life is later", () => {
  assert.deepEqual(
    [isRead("e-9", "e-10"), isRead("e-10", "e-9"), isRead(null, "e-1"), isRead("e-9", "f-1")],
    [false, true, false, false],
  );
  assert.deepEqual([later(null, "e-1"), later("e-2", "e-1"), later("e-2", "f-1")], ["e-1", "e-2", "f-1"]);
  assert.deepEqual([distance("e-2", "e-9"), distance("e-2", "f-9")], [7, 0]);
});

test("a message is text, code, links and mentions", () => {
  const who = { names: ["Mara Lindqvist", "Jonas Weber", "assistant"], me: "Mara Lindqvist" };
  /** @param {string} text */
  const cut = (text) => pieces(text, who).map(({ kind, text }) => `${kind}:${text}`);
  assert.deepEqual(cut("@mara and @Jonas Weber, ask @assistant"), [
    "me:@mara",
    "text: and ",
    "mention:@Jonas Weber",
    "text:, ask ",
    "mention:@assistant",
  ]);
  assert.deepEqual(cut("mail@mara @maraschino `@mara <b>` (https://a.test/b?c=d)."), [
    "text:mail@mara @maraschino ",
    "code:@mara <b>",
    "text: (",
    "link:https://a.test/b?c=d",
    "text:).",
  ]);
  assert.deepEqual(pieces("<script>@x</script>", { names: [], me: null }), [
    { kind: "text", text: "<script>@x</script>" },
  ]);
});
