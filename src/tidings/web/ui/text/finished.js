import DOMPurify from "dompurify";
import { Marked } from "marked";
import { placeCites } from "./cites.js";
import { codeBlock, highlight } from "./code.js";
import { element, safeHref, setHref } from "./element.js";
import { LONGEST, tooDeep } from "./nesting.js";
import { Streamed } from "./streamed.js";

/** @param {string} text */
const escaped = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

const marked = new Marked({ gfm: true }).use({
  extensions: [
    {
      name: "cite",
      level: "inline",
      start: (source) => source.match(/\[\d/)?.index,
      tokenizer(source) {
        const match = /^\[(\d{1,3})\](?![(:])/.exec(source);
        return match ? { type: "cite", raw: match[0], n: match[1] } : undefined;
      },
      renderer: (token) => `<span data-cite="${token.n}">[${token.n}]</span>`,
    },
  ],
  renderer: {
    html: ({ text }) => escaped(text), // raw HTML is shown as text
    image: ({ text, href }) => `<a href="${escaped(href)}">${escaped(text || "Image")}</a>`, // pictures are not loaded
    checkbox: ({ checked }) => `<span class="task">${checked ? "\u2611" : "\u2610"}</span> `,
    // The page's title is its only h1.
    heading({ tokens, depth }) {
      const level = Math.min(depth + 2, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
  },
});

const SAFE = {
  ALLOWED_TAGS:
    `a blockquote br code del em h3 h4 h5 h6 hr li ol p pre s span strong table tbody td th thead tr ul`.split(" "),
  ALLOWED_ATTR: ["href", "class", "data-cite", "start", "align"],
  RETURN_DOM_FRAGMENT: true,
};

/**
 * A finished, untrusted Markdown text as DOM: without scripts, pictures and raw HTML, with links to http, https and
 * mailto only.
 *
 * @param {string} text
 * @param {readonly import("./cites.js").Source[]} sources
 * @returns {DocumentFragment}
 */
export function finished(text, sources) {
  try {
    if (text.length <= LONGEST && !tooDeep(text)) return parsed(text, sources);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the parser is recursive, and the stack has an end
  }
  return flat(text, sources);
}

/** A text that is too long, or nests too deeply. @param {string} text @param {readonly import("./cites.js").Source[]} sources */
function flat(text, sources) {
  const [content, root] = [document.createDocumentFragment(), element("div")];
  const streamed = new Streamed(root);
  streamed.show(text, sources);
  streamed.end();
  content.append(...root.childNodes);
  return content;
}

/** @param {string} text @param {readonly import("./cites.js").Source[]} sources @returns {DocumentFragment} */
function parsed(text, sources) {
  const html = /** @type {string} */ (marked.parse(text, { async: false }));
  const content = /** @type {DocumentFragment} */ (/** @type {unknown} */ (DOMPurify.sanitize(html, SAFE)));
  for (const link of content.querySelectorAll("a")) {
    const href = safeHref(link.getAttribute("href"));
    if (href) setHref(link, href);
    else link.replaceWith(...link.childNodes);
  }
  placeCites(content, sources);
  for (const code of content.querySelectorAll("pre > code")) dress(/** @type {HTMLElement} */ (code));
  for (const table of content.querySelectorAll("table")) {
    const frame = element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" });
    table.replaceWith(frame);
    frame.append(table);
  }
  return content;
}

/** @param {HTMLElement} plain */
function dress(plain) {
  const { block, code, named } = codeBlock();
  const language = [...plain.classList].find((name) => name.startsWith("language-"));
  code.textContent = (plain.textContent ?? "").replace(/\n$/, "");
  named(language?.slice("language-".length) ?? "");
  plain.parentElement?.replaceWith(block);
  void highlight(code);
}
