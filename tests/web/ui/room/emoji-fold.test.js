import assert from "node:assert/strict";
import { test } from "node:test";

import { GROUPS, emojiOf, labelOf, search } from "../../../../src/tidings/web/ui/room/emoji-fold.js";
import data from "../../../../src/tidings/web/vendor/emoji.mjs";

const all = emojiOf(data);

test("every group begins with its first emoji and holds more", () => {
  assert.deepEqual(
    GROUPS.map((_, n) => all.filter(({ group }) => group === n).length > 50),
    GROUPS.map(() => true),
  );
  const groups = all.map(({ group }) => group).filter((_, n) => n > 1);
  assert.deepEqual(
    groups,
    groups.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(all.map(({ emoji }) => emoji)).size, all.length);
});

test("the names of an emoji are found by their words, the best first", () => {
  const first = (/** @type {string} */ text) => search(all, text, 3)[0]?.emoji;
  assert.equal(first("+1"), "\u{1F44D}");
  assert.equal(first("thumbsup"), "\u{1F44D}");
  assert.equal(first("tada"), "\u{1F389}");
  assert.equal(first("Smile"), "\u{1F604}");
  assert.equal(first("heart eyes"), "\u{1F60D}");
  assert.equal(first("nosuchemoji"), undefined);
  assert.equal(search(all, "smi", 6).length, 6);
  assert.equal(labelOf(search(all, "heart_eyes", 1)[0]), "heart eyes");
});
