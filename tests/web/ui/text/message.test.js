import assert from "node:assert/strict";
import { test } from "node:test";

import { pieces } from "../../../../src/tidings/web/ui/text/message.js";

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
