/** Help for people who write Markdown in a plain field. Pure: a text, a place in it, and the change that a key makes. */

/** @typedef {{from: number, insert: string, caret?: number}} Change `from` the place on, `insert` replaces the text up to the caret; `caret`: where it stands then, counted from `from` */

const ITEM = /^(\s*)(?:([-*+])|(\d{1,9})([.)]))(\s+)(\[[ xX]\]\s+)?/;

const FENCE = /^ {0,3}(`{3,}|~{3,})[^`]*$/;

/**
 * The mark of the code block in which a place of a text is; empty outside of code blocks.
 * @param {string} before the text before the place
 */
export function openFence(before) {
  let open = "";
  for (const line of before.split("\n")) {
    const mark = FENCE.exec(line)?.[1] ?? "";
    if (!open) open = mark;
    else if (mark.startsWith(open) && line.trim() === mark) open = "";
  }
  return open;
}

/**
 * The change that a new line makes: a list goes on, an empty item ends it, code keeps its indent, and a fence that was
 * just begun gets its end.
 *
 * @param {string} text
 * @param {number} caret
 * @returns {Change | null} null: only the line is added
 */
export function newLine(text, caret) {
  const before = text.slice(0, caret);
  const begin = before.lastIndexOf("\n") + 1;
  const line = before.slice(begin);
  const fence = openFence(before);
  if (fence) {
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    const begun = FENCE.test(line) && !openFence(before.slice(0, begin)) && openFence(text) !== "";
    if (begun) return { from: caret, insert: `\n${indent}\n${indent}${fence}`, caret: 1 + indent.length };
    return indent ? { from: caret, insert: `\n${indent}` } : null;
  }
  const item = ITEM.exec(line);
  if (!item) return null;
  if (line.length === item[0].length) return { from: begin, insert: "" };
  const [, indent, bullet, number, end, space, task] = item;
  const mark = bullet ?? `${Number(number) + 1}${end}`;
  return { from: caret, insert: `\n${indent}${mark}${space}${task ? "[ ] " : ""}` };
}

/** A line that is code and no sentence: how it begins, or how it ends. */
const CODE =
  /^\s*(?:import |from \S+ import|def |class \w+[:({]|function\b|const |let |var |return\b|if ?\(|if .*:$|elif |else:|for ?\(|for .*:$|while\b.*[:{]$|public |private |#include|using |package |func |fn |struct |SELECT |INSERT |@\w+|<\/?\w+[^>]*>|[$>] \w|\/\/|#!)|[;{}]$|=>|^\s*[\w.[\]'"]+ ?[:+-]?=[^=]|^\s*"[^"]+": |^\s*[)\]}]+[,;]?$|^\s+[\w.]+\(.*\)$/;

/**
 * Tell whether a pasted text is code of several lines.
 * @param {string} text
 */
export function isCode(text) {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length < 2 || /^ {0,3}(```|~~~)/m.test(text)) return false;
  return lines.filter((line) => CODE.test(line.trimEnd())).length >= 0.6 * lines.length;
}

/**
 * Pasted code as a code block.
 * @param {string} code
 * @param {string} language empty where it is not known
 * @param {string} before the text before it
 */
export function fenced(code, language, before) {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const apart = before === "" || before.endsWith("\n") ? "" : "\n";
  return `${apart}${fence}${language}\n${code.replace(/\r\n?/g, "\n").replace(/\n+$/, "")}\n${fence}\n`;
}

/** Tell whether a text looks different from what is written, so that a preview is worth while. @param {string} text */
export const isMarked = (text) => /[`*~[\\$|]|^\s*(?:[-+>#]|\d+[.)])\s/m.test(text);
