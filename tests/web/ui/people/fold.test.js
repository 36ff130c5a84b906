import assert from "node:assert/strict";
import { test } from "node:test";

import * as presence from "../../../../src/tidings/web/ui/people/fold.js";
import * as rooms from "../../../../src/tidings/web/ui/rooms/fold.js";

/** @param {number} n @param {string} type @param {any} data @param {string} [topic] */
const event = (n, type, data, topic = "rooms.deploys") => ({ topic, offset: `e-${n}`, type, time: n * 60, data });

test("presence is the sum over the processes that are alive", () => {
  const say = (/** @type {string} */ process, /** @type {object} */ here) =>
    event(0, "presence", { process, here }, "presence");
  let state = presence.fold(presence.nobody, say("a", { Mara: 2, Jonas: 0 }), 100);
  state = presence.fold(state, say("b", { Mara: 1, Aiko: 1 }), 110);
  state = presence.fold(state, event(0, "presence", { nothing: "of it" }), 110);
  assert.deepEqual([...presence.here(state, 111)], [["Mara", 3], ["Aiko", 1]]); // prettier-ignore
  assert.deepEqual([...presence.here(state, 113)], [["Mara", 1], ["Aiko", 1]]); // prettier-ignore
  assert.deepEqual([...presence.here(state, 130)], []);
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
