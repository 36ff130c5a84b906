import assert from "node:assert/strict";
import { test } from "node:test";

import { pieces } from "../../../../src/tidings/web/ui/text/mentions.js";

const who = { names: ["Mara Lindqvist", "Jonas Weber", "周杰", "assistant"], me: "Mara Lindqvist" };

/** @param {string} text */
const cut = (text) => pieces(text, who).map(({ kind, text }) => `${kind}:${text}`);

test("a text is cut at its calls", () => {
  assert.deepEqual(cut("@mara and @Jonas Weber, ask @assistant"), [
    "me:@mara",
    "text: and ",
    "mention:@Jonas Weber",
    "text:, ask ",
    "mention:@assistant",
  ]);
  assert.deepEqual(cut("mail@mara @maraschino @mara_l"), ["text:mail@mara @maraschino @mara_l"]);
  assert.deepEqual(pieces("@x", { names: [], me: null }), [{ kind: "text", text: "@x" }]);
});

test("a call needs no space between two scripts", () => {
  assert.deepEqual(cut("请@mara看"), ["text:请", "me:@mara", "text:看"]);
  assert.deepEqual(cut("@周杰 @周杰伦"), ["mention:@周杰", "text: @周杰伦"]);
});
