import assert from "node:assert/strict";
import { test } from "node:test";

import { blocks, DEEPEST, readWords } from "../../../../src/tidings/web/ui/text/markdown.js";

/**
 * The blocks of a text, each as its tokens.
 * @param {string} text
 * @param {boolean} [open] the text is still being written
 */
function read(text, open = false) {
  const env = { references: {}, cites: true, writing: open, open: /** @type {any} */ (null) };
  return blocks(text, env).map(({ tokens }, at, all) => {
    const words = tokens.findLast(({ type }) => type === "inline")?.children ?? null;
    readWords(tokens, { ...env, open: open && at === all.length - 1 ? words : null });
    return tokens
      .flatMap((token) => token.children ?? [token])
      .filter(({ type, content }) => type !== "text" || content)
      .map(({ type, content }) => type.replace(/^paragraph_(open|close)$/, "p") + (content && `:${content}`))
      .join(" ");
  });
}

test("single tildes strike nothing", () => {
  assert.deepEqual(read("5~10 minutes and 20~30 euros"), ["p text:5~10 minutes and 20~30 euros p"]);
  assert.deepEqual(read("~~gone~~"), ["p s_open text:gone s_close p"]);
});

test("marks end emphasis after the punctuation of scripts without spaces", () => {
  assert.deepEqual(read("这是**重点：**后面"), ["p text:这是 strong_open text:重点： strong_close text:后面 p"]);
  assert.deepEqual(read("**마크다운(Markdown)**은"), ["p strong_open text:마크다운(Markdown) strong_close text:은 p"]);
  assert.deepEqual(read("これは*「強調」*です"), ["p text:これは em_open text:「強調」 em_close text:です p"]);
  assert.deepEqual(read("a **b **c"), ["p text:a **b **c p"]);
});

test("a line break of HTML is one, and all other HTML is text", () => {
  assert.deepEqual(read("x<br>y<BR />z<br/>"), ["p text:x hardbreak text:y hardbreak text:z hardbreak p"]);
  assert.deepEqual(read("<b>x</b><brr>"), ["p text:<b>x</b><brr> p"]);
});

test("formulas stand among words and by themselves", () => {
  assert.deepEqual(read("\\(a_b\\) or \\[x\\] or $$y$$"), ["p math:a_b text: or  math:x text: or  math:y p"]);
  assert.deepEqual(read("$$\na\n+ b\n= c\n$$\nafter"), ["math:a\n+ b\n= c", "p text:after p"]);
  assert.deepEqual(read("text\n\\[ x \\]"), ["p text:text p", "math:x"]);
  assert.deepEqual(read("from $5 to $6, $$ and $$"), ["p text:from $5 to $6, $$ and $$ p"]);
  assert.deepEqual(read("`\\(x\\)` \\\\(x\\\\)"), ["p code_inline:\\(x\\) text: \\(x\\) p"]);
  assert.deepEqual(read("\\(x"), ["p text:(x p"]);
});

test("citations are no links", () => {
  assert.deepEqual(read("a [1], [2](https://b.test)"), ["p text:a  cite:1 text:,  link_open text:2 link_close p"]);
});

test("marks whose end is still to come are read as if it were there", () => {
  assert.deepEqual(read("a **b", true), ["p text:a  strong_open text:b strong_close p"]);
  assert.deepEqual(read("**a** **b *c", true), [
    "p strong_open text:a strong_close text:  strong_open text:b *c strong_close p",
  ]);
  assert.deepEqual(read("a `b", true), ["p text:a  code_inline:b p"]);
  assert.deepEqual(read("see [x](https://a", true), ["p text:see x p"]);
  assert.deepEqual(read("\\(a_b_", true), ["p text:\\(a_b_ p"]);
  assert.deepEqual(read("$$\n- a\n- b", true), ["plain:$$\n- a\n- b"]);
  assert.deepEqual(read("**a\n\nb", true), ["p text:**a p", "p text:b p"]);
});

test("text that nests too deeply, and a line of marks, is plain", () => {
  const [quotes] = read(`${">".repeat(DEEPEST + 5)}inside`);
  assert.match(quotes, /^(blockquote_open ){24}plain:>>>>>inside( blockquote_close){24}$/);
  assert.deepEqual(read("~".repeat(200) + "\n\nafter"), [`plain:${"~".repeat(200)}`, "p text:after p"]);
});

test("100,000 characters of any marks are read in time that grows with them", () => {
  for (const marks of [
    "*",
    "*a",
    "**a ",
    "_",
    "[",
    "![",
    "[a](",
    "`",
    ">",
    "> ",
    "- ",
    "\\(",
    "$$a",
    "\\[\n",
    "&",
    "<",
  ]) {
    const began = process.cpuUsage().user;
    read(marks.repeat(100_000 / marks.length));
    assert.ok(process.cpuUsage().user - began < 5e6, `${marks} took ${process.cpuUsage().user - began} microseconds`);
  }
});
