import { placeCites } from "./cites.js";
import { highlight } from "./code.js";
import { draw } from "./draw.js";
import { element } from "./element.js";
import { blocks, readWords } from "./markdown.js";
import { typeset } from "./math.js";
import { morph } from "./morph.js";

/** @typedef {import("markdown-it").Token} Token */

/**
 * @typedef {object} Looks
 * @property {boolean} [open] more may come: a caret stands at the end, and marks whose end is to come are drawn
 * @property {readonly import("./cites.js").Source[] | null} [sources] of its citations; null for a text that has none
 * @property {boolean} [breaks] each end of a line is a line break, as people write
 * @property {import("./mentions.js").Mentions | null} [mentions]
 */

/** @typedef {{key: string, element: HTMLElement}} Block `key`: its text, and what else its look depends on */

/** Characters of a text that are read as Markdown. The worst 200,000 take a second. What follows is plain. */
export const LONGEST = 200_000;

/** Marks at the end of a text of which the next character tells what they are, or the last line, of marks alone. */
const UNDECIDED = /(?:(?:^|\n)[ \t]*[-=+*_#>~`|:.)\d\\$ \t]{1,12}|[*_~`\\$]{1,3}|!?\[|<b?r?)$/i;

/** Characters at the end of a text in which undecided marks are looked for. */
const END = 100;

/** Markdown in an element: a finished text, or one that is being written. Both look alike. */
export class Prose {
  #root;
  /** @type {Block[]} */
  #blocks = [];
  /** The beginning of the text that cannot change any more: its characters, its blocks and its references. */
  #settled = { text: "", count: 0, references: /** @type {Record<string, any>} */ ({}) };
  /** The properties on which the look of all blocks depends, as text. */
  #look = "";
  #caret = element("span", { class: "caret", "aria-hidden": "true" });

  /** @param {HTMLElement} root empty */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} whole the text so far @param {Looks} [looks] */
  show(whole, looks = {}) {
    const { open = false, sources = null } = looks;
    const clean = whole.replace(/\r\n?/g, "\n").replace(/\0/g, "\ufffd");
    const undecided = open ? (UNDECIDED.exec(clean.slice(-END))?.[0].length ?? 0) : 0;
    const text = clean.slice(0, Math.min(LONGEST, clean.length - undecided));
    this.#caret.remove();
    if (!text.startsWith(this.#settled.text)) this.#unsettle();
    let read = this.#read(text, open);
    const look = JSON.stringify([read.references, sources?.length, looks.mentions]);
    if (look !== this.#look) {
      this.#unsettle();
      read = this.#read(text, open);
      this.#look = look;
    }
    const last = read.found.length - 1;
    read.found.forEach(({ source, tokens }, n) => {
      const tail = open && n === last;
      const key = `${tail}${look}${source}`;
      if (this.#blocks[this.#settled.count + n]?.key === key) return;
      const words = tail ? tokens.findLast(({ type }) => type === "inline")?.children : null;
      readWords(tokens, { references: read.references, cites: sources !== null, writing: open, open: words ?? null });
      const drawn = draw(tokens, looks);
      if (sources) placeCites(drawn, sources);
      this.#place(this.#settled.count + n, { key, element: drawn }, tail);
    });
    const end = this.#settled.count + read.found.length;
    for (const { element } of this.#blocks.splice(end)) element.remove();
    this.#showRest(clean.slice(LONGEST));
    if (open) this.#settle(text, read.found);
    if (open) this.#placeCaret();
  }

  /** Cut what is not settled into blocks. @param {string} text @param {boolean} writing */
  #read(text, writing) {
    const env = { references: { ...this.#settled.references }, cites: false, writing, open: null };
    const found = blocks(text.slice(this.#settled.text.length), env);
    return { found, references: env.references };
  }

  #unsettle() {
    this.#settled = { text: "", count: 0, references: {} };
  }

  /** All blocks but the last cannot change any more. @param {string} text @param {{source: string}[]} found */
  #settle(text, found) {
    if (found.length < 2) return;
    const end = text.length - /** @type {{source: string}} */ (found.at(-1)).source.length;
    const env = { references: this.#settled.references, cites: false, writing: true, open: null };
    blocks(text.slice(this.#settled.text.length, end), env);
    this.#settled = {
      text: text.slice(0, end),
      count: this.#settled.count + found.length - 1,
      references: env.references,
    };
  }

  /** @param {number} at @param {Block} block @param {boolean} open */
  #place(at, block, open) {
    const before = this.#blocks[at];
    if (before) {
      block.element = /** @type {HTMLElement} */ (morph(before.element, block.element));
    } else {
      this.#root.insertBefore(block.element, this.#blocks[at - 1]?.element.nextSibling ?? null);
    }
    this.#blocks[at] = block;
    const made = block.element;
    const all = (/** @type {string} */ selector) =>
      /** @type {HTMLElement[]} */ ([...(made.matches(selector) ? [made] : []), ...made.querySelectorAll(selector)]);
    for (const math of all(".math")) typeset(math);
    if (!open) for (const code of all("pre > code")) highlight(code);
  }

  /** @param {string} text beyond what is read as Markdown */
  #showRest(text) {
    const last = this.#root.lastElementChild;
    const shown = last?.matches(".rest") ? last : null;
    if (text === "") shown?.remove();
    else if (shown) morph(/** @type {ChildNode} */ (shown.firstChild), document.createTextNode(text));
    else this.#root.append(element("p", { class: "plain rest", dir: "auto" }, text));
  }

  /** Put the caret after the last word, inside the last item or cell. */
  #placeCaret() {
    let at = this.#root;
    while (at.lastChild instanceof HTMLElement && at.lastChild.matches(HOLDERS)) at = at.lastChild;
    at.append(this.#caret);
  }
}

/** Elements in which the last word of a text may stand. */
const HOLDERS =
  "p, h3, h4, h5, h6, ul, ol, li, blockquote, table, thead, tbody, tr, th, td, .table, .code, pre, pre > code";
