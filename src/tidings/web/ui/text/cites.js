import { element } from "./element.js";

/** @typedef {import("../folds/run.js").Source} Source */

/** Where a text cites a source: "[1]", until the source is known. @param {string} n */
export const citeMark = (n) => element("span", { "data-cite": n }, `[${n}]`);

/**
 * Turn the marks whose sources are known into citations: the number, glued to the word before it (U+2060).
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
  const before = mark.previousSibling;
  if (before?.nodeType === Node.TEXT_NODE) before.nodeValue = (before.nodeValue ?? "").replace(/[ \t]+$/, "");
  const label = `Source ${n}: ${source.title}`;
  mark.replaceWith("\u2060", element("button", { type: "button", class: "cite", "data-n": n, "aria-label": label }, n));
}
