import assert from "node:assert/strict";
import { test } from "node:test";

import { cutOut, withWholeLinks } from "../../../../src/tidings/web/ui/docs/passage.js";

const PAGE = "# Title\n\nFirst.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nLast.";

test("a page is cut around the lines of a passage, and a table stays whole", () => {
  assert.deepEqual(cutOut(PAGE, null), { before: PAGE, passage: "", after: "" });
  assert.equal(cutOut(PAGE, [3, 3]).passage, "First.");
  const row = cutOut(PAGE, [8, 8]);
  assert.equal(row.passage, "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |");
  assert.deepEqual([row.before, row.after], ["# Title\n\nFirst.\n", "\nLast."]);
  assert.equal(cutOut(PAGE, [10, 99]).passage, "Last.");
  for (const lines of /** @type {[number, number][]} */ ([
    [0, 3],
    [11, 12],
    [4, 3],
  ]))
    assert.equal(cutOut(PAGE, lines).before, PAGE, `${lines}`);
});

test("links lead to other pages, and pictures and comments are left out", () => {
  const base = "http://here/live/docs/how-to/rooms.md";
  assert.equal(
    withWholeLinks("See [tokens](auth.md#who) now", base),
    "See [tokens](http://here/live/docs/how-to/auth.md#who) now",
  );
  assert.equal(
    withWholeLinks("[up](../stores.md), [here](#below)", base),
    `[up](http://here/live/docs/stores.md), [here](${base}#below)`,
  );
  for (const text of ["[out](https://example.org/a.md)", "a call(x)", "`list[int](0)`"])
    assert.equal(withWholeLinks(text, base), text);
  assert.equal(withWholeLinks("a\n<!-- note -->\n![x](../images/x.png)\nb", base), "a\n\n\nb");
});
