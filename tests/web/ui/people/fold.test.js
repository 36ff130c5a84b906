import assert from "node:assert/strict";
import { test } from "node:test";

import * as presence from "../../../../src/tidings/web/ui/people/fold.js";
import * as rooms from "../../../../src/tidings/web/ui/rooms/fold.js";

/** @param {number} n @param {string} type @param {any} data @param {string} [topic] */
const event = (n, type, data, topic = "rooms.deploys") => ({ topic, offset: `e-${n}`, type, time: n * 60, data });

/** @param {string} process @param {number} version @param {object} [changed] */
const beat = (process, version, changed) => event(0, "presence", { process, version, changed }, "presence");

test("presence is the sum over the processes that are alive", () => {
  let state = presence.fold(presence.nobody, beat("a", 1, { Mara: 2, Jonas: 1 }), 100);
  state = presence.fold(state, beat("b", 1, { Mara: 1, Aiko: 1 }), 110);
  state = presence.fold(state, event(0, "presence", { nothing: "of it" }), 110);
  state = presence.fold(state, beat("a", 2, { Jonas: 0 }), 111);
  assert.deepEqual([...presence.here(state, 111)], [["Mara", 3], ["Aiko", 1]]); // prettier-ignore
  state = presence.fold(state, beat("b", 1), 115);
  assert.deepEqual([...presence.here(state, 124)], [["Mara", 1], ["Aiko", 1]]); // prettier-ignore
  assert.deepEqual([...presence.here(state, 130)], []);
});

test("a missed change of presence is noticed, and the list mends it", () => {
  let state = presence.fold(presence.nobody, beat("a", 1, { Mara: 1 }), 100);
  assert.equal(presence.missed(state, beat("a", 1), 101), false);
  assert.equal(presence.missed(state, beat("a", 2, { Aiko: 1 }), 101), false);
  for (const late of [beat("a", 3, { Aiko: 1 }), beat("a", 2), beat("b", 2, { Aiko: 1 })]) {
    assert.equal(presence.missed(state, late, 101), true);
    assert.deepEqual([...presence.here(presence.fold(state, late, 101), 101)], [["Mara", 1]]);
  }
  assert.equal(presence.missed(state, event(0, "typing", {}), 101), false);
  state = presence.take(state, [{ process: "a", version: 3, here: { Aiko: 2 } }], 102);
  assert.deepEqual([...presence.here(state, 102)], [["Aiko", 2]]);
  state = presence.fold(state, beat("a", 4, { Mara: 1 }), 103);
  state = presence.take(state, [{ process: "a", version: 3, here: { Aiko: 2 } }], 104);
  assert.deepEqual([...presence.here(state, 104)], [["Aiko", 2], ["Mara", 1]]); // prettier-ignore
});

test("typing ends after five seconds, and at once with the message", () => {
  let typing = presence.foldTyping(presence.quiet, event(0, "typing", { by: "Aiko" }), 100);
  typing = presence.foldTyping(typing, event(0, "typing", { by: "Jonas" }), 102);
  typing = presence.foldTyping(typing, event(0, "reaction.added", { by: "Aiko" }), 102);
  assert.deepEqual(presence.typists(typing, 104), ["Aiko", "Jonas"]);
  assert.deepEqual(presence.typists(typing, 106), ["Jonas"]);
  typing = presence.foldTyping(typing, event(0, "message.posted", { by: "Jonas" }), 106);
  assert.deepEqual(presence.typists(typing, 106), []);
});
