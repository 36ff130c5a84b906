import { element } from "./element.js";

/** @typedef {import("../answer/fold.js").Source} Source */

/** The mark of a citation, "[1]", until its source is known. @param {string} n */
export const citeMark = (n) => element("span", { "data-cite": n }, `[${n}]`);

/**
 * Replace the marks of known sources by citations: a number, joined to the word before it (U+2060).
 * @param {ParentNode} text
 * @param {readonly Source[]} sources
 */
export function placeCites(text, sources) {
  if (sources.length === 0) return;
  for (const mark of text.querySelectorAll("span[data-cite]")) {
    const source = sources.find(({ n }) => String(n) === mark.getAttribute("data-cite"));
    if (source) place(mark, source);
  }
}

/** @param {Element} mark @param {Source} source */
function place(mark, source) {
  const n = String(source.n);
  const label = `Source ${n}: ${source.title}`;
  const cite = element("button", { type: "button", class: "cite", "data-n": n, "aria-label": label }, n);
  const glued = wordBefore(mark);
  if (glued) {
    glued.append(cite);
    mark.remove();
  } else mark.replaceWith("\u2060", cite);
}

/**
 * Wrap the word before a mark in an element that does not break: browsers break a line before a button in spite of U+2060.
 * @param {Element} mark
 * @returns {Element | null} null when there is no text just before the mark
 */
function wordBefore(mark) {
  const before = mark.previousSibling;
  if (before instanceof Element && before.matches(".glued")) return before;
  if (before?.nodeType !== Node.TEXT_NODE) return null;
  const text = (before.nodeValue ?? "").trimEnd();
  if (text === "" && before.previousSibling instanceof Element && before.previousSibling.matches(".glued")) {
    const glued = before.previousSibling;
    before.remove();
    return glued;
  }
  const word = /\S+$/.exec(text)?.[0] ?? "";
  if (word === "" || word.length > 30) return null;
  before.nodeValue = text.slice(0, -word.length);
  const glued = element("span", { class: "glued" }, word);
  mark.before(glued);
  return glued;
}
