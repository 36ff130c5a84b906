import { element } from "./element.js";
import { loadSheet, met } from "./met.js";

/** Characters of a formula that is typeset. Longer ones are shown as they are written. */
const LONGEST = 2_000;

/** Milliseconds of work on formulas in a row. A text may hold thousands of them. */
const SLICE = 8;

const CLOSERS = /** @type {Record<string, string>} */ ({ "\\(": "\\)", "\\[": "\\]", $$: "$$" });

/**
 * A formula, as it is written until `typeset` has drawn it.
 * @param {string} tex
 * @param {string} opener its first mark
 * @param {boolean} block the formula stands by itself
 */
export function formula(tex, opener, block) {
  const display = block || opener !== "\\(";
  const attributes = { class: block ? "math block" : "math", dir: "ltr", "data-tex": tex };
  const made = element(block ? "div" : "span", attributes, `${opener}${tex}${CLOSERS[opener]}`);
  if (display) made.dataset.display = "";
  return made;
}

/** Formulas to be typeset. @type {HTMLElement[]} */
const waiting = [];

/** @type {WeakSet<HTMLElement>} */
const known = new WeakSet();

/** Typeset a formula soon, by KaTeX, which is fetched when the first formula is met. @param {HTMLElement} math */
export function typeset(math) {
  if (known.has(math) || (math.dataset.tex ?? "").length > LONGEST) return;
  known.add(math);
  if (waiting.push(math) === 1) void work();
}

async function work() {
  const katex = await (library ??= met(load));
  let until = performance.now() + SLICE;
  for (const math of waiting) {
    if (katex) draw(math, katex);
    if (performance.now() < until) continue;
    await new Promise((resolve) => setTimeout(resolve));
    until = performance.now() + SLICE;
  }
  waiting.length = 0;
  if (!katex) library = null;
}

/** @type {Promise<any> | null} */
let library = null;

/** Fetch the library and its style sheet. */
async function load() {
  const styled = loadSheet(new URL("../../vendor/katex.css", import.meta.url));
  const [module] = await Promise.all([import("katex"), styled]);
  return module.default ?? /** @type {any} */ (globalThis).katex; // its one file is no module, and sets a global name
}

/** @param {HTMLElement} math @param {any} katex */
function draw(math, katex) {
  const drawn = element("span");
  try {
    katex.render(math.dataset.tex, drawn, {
      displayMode: math.dataset.display !== undefined,
      trust: false,
      strict: "ignore",
      maxSize: 20,
      maxExpand: 100,
    });
    math.replaceChildren(...drawn.childNodes);
  } catch {
    // A formula that is none stays as it is written.
  }
}
