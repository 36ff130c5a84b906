import assert from "node:assert/strict";
import { test } from "node:test";

import { fenced, isCode, isMarked, newLine, openFence } from "../../../../src/tidings/web/ui/text/writing.js";

/**
 * The text after a new line at the "|", with the caret as "|"; the text itself where only a line is added.
 * @param {string} written
 */
function entered(written) {
  const caret = written.indexOf("|");
  const text = written.replace("|", "");
  const change = newLine(text, caret);
  if (!change) return written;
  const { from, insert, caret: at = insert.length } = change;
  return `${text.slice(0, from)}${insert.slice(0, at)}|${insert.slice(at)}${text.slice(caret)}`;
}

test("a list goes on, and an empty item ends it", () => {
  assert.equal(entered("- a|"), "- a\n- |");
  assert.equal(entered("text\n  * a| b"), "text\n  * a\n  * | b");
  assert.equal(entered("9. a|"), "9. a\n10. |");
  assert.equal(entered("1) a|"), "1) a\n2) |");
  assert.equal(entered("- [x] a|"), "- [x] a\n- [ ] |");
  assert.equal(entered("- a\n- |"), "- a\n|");
  assert.equal(entered("1. |\nafter"), "|\nafter");
  assert.equal(entered("no list|"), "no list|");
  assert.equal(entered("-a|"), "-a|");
  assert.equal(entered("2026. A year is an item|"), "2026. A year is an item\n2027. |");
});

test("a fence gets its end, and code keeps its indent", () => {
  assert.equal(entered("```py|"), "```py\n|\n```");
  assert.equal(entered("text\n~~~~|"), "text\n~~~~\n|\n~~~~");
  assert.equal(entered("```\n  a|\n```"), "```\n  a\n  |\n```");
  assert.equal(entered("```|\nx\n```"), "```|\nx\n```");
  assert.equal(entered("```\n- a|"), "```\n- a|");
});

test("a place is in a code block until its fence ends", () => {
  assert.equal(openFence("```js\nx"), "```");
  assert.equal(openFence("````\n```\nx"), "````");
  assert.equal(openFence("```\nx\n```"), "");
  assert.equal(openFence("```\nx\n```\n```"), "```");
  assert.equal(openFence("```inline```"), "");
});

test("code of several lines is told from prose", () => {
  const code = [
    "def f(x):\n    return x",
    "const a = 1;\nconst b = 2;\n\nexport { a };",
    '{\n  "a": 1,\n  "b": [2]\n}',
    "<div>\n  <p>hello</p>\n</div>",
    "SELECT *\nFROM a\nWHERE b = 1;\nINSERT INTO c VALUES (1);",
    "$ ls -l\n$ cat a.txt",
    "for x in y:\n    print(x)",
    "#include <stdio.h>\nint main() {\n  return 0;\n}",
  ];
  const prose = [
    "Hello,\nhow are you? See you soon.",
    "one line = code;",
    "- a list\n- of things\n  that goes on",
    "Dear all,\n\nfor lunch, I suggest noon.\nBest, Mara",
    "```\nfenced = 1;\nalready = 2;\n```",
    "1. one\n2. two",
    "会議は\n三時です",
  ];
  assert.deepEqual(
    code.filter((text) => !isCode(text)),
    [],
  );
  assert.deepEqual(prose.filter(isCode), []);
});

test("pasted code gets a fence that it does not hold itself", () => {
  assert.equal(fenced("a\r\nb\n\n", "", ""), "```\na\nb\n```\n");
  assert.equal(fenced("a ``` b\n", "md", "text"), "\n````md\na ``` b\n````\n");
});

test("a preview is offered for marks", () => {
  assert.deepEqual(
    ["a `b`", "- a", "x\n1. b", "> q", "# h", "**b**", "\\(x\\)"].filter((text) => !isMarked(text)),
    [],
  );
  assert.deepEqual(["hello", "3 > 2, fine", "a - b", "#deploys"].filter(isMarked), []);
});
