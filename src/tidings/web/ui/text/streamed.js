import * as smd from "streaming-markdown";
import { citeMark, placeCites } from "./cites.js";
import { codeBlock, highlight } from "./code.js";
import { element, safeHref, setHref } from "./element.js";
import { DEEPEST, HELD, MARKS, OPEN } from "./nesting.js";

/** @type {Record<number, string>} */
const TAGS = {
  [smd.PARAGRAPH]: "p",
  [smd.HEADING_1]: "h3",
  [smd.HEADING_2]: "h4",
  [smd.HEADING_3]: "h5",
  [smd.HEADING_4]: "h6",
  [smd.HEADING_5]: "h6",
  [smd.HEADING_6]: "h6",
  [smd.CODE_INLINE]: "code",
  [smd.ITALIC_AST]: "em",
  [smd.ITALIC_UND]: "em",
  [smd.STRONG_AST]: "strong",
  [smd.STRONG_UND]: "strong",
  [smd.STRIKE]: "s",
  [smd.BLOCKQUOTE]: "blockquote",
  [smd.LINE_BREAK]: "br",
  [smd.RULE]: "hr",
  [smd.LIST_UNORDERED]: "ul",
  [smd.LIST_ORDERED]: "ol",
  [smd.LIST_ITEM]: "li",
  [smd.TABLE_ROW]: "tr",
};

/** Characters that the parser is given at once. Its state is looked at in between. */
const PIECE = 1000;

/** The two halves of one character. */
const SPLIT = /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/;

/**
 * Markdown while it is being written. Each piece only adds to the DOM, so that the text before it stays in place and can
 * be selected. Like the finished text it never reads HTML.
 */
export class Streamed {
  /** The open elements, innermost last. @type {HTMLElement[]} */
  #open;
  #caret = element("span", { class: "caret", "aria-hidden": "true" });
  /** Text that the parser holds back, because the next character may change its meaning. */
  #rest = document.createTextNode("");
  #parser;
  /** The text as it is written, from where the parser cannot read it. @type {HTMLElement | null} */
  #plain = null;
  #written = 0;

  /** @param {HTMLElement} root empty */
  constructor(root) {
    this.#open = [root];
    this.#parser = smd.parser({
      data: null,
      add_token: (_, type) => this.#begin(type),
      end_token: () => this.#end(),
      add_text: (_, text) => this.#here.append(text),
      set_attr: (_, name, value) => this.#set(name, value),
    });
  }

  /**
   * @param {string} text the whole text so far
   * @param {readonly import("./cites.js").Source[]} sources
   */
  show(text, sources) {
    this.#caret.remove();
    this.#rest.remove();
    const line = text.lastIndexOf("\n", this.#written - 1) + 1;
    if (!this.#plain && MARKS.test(text.slice(line))) {
      this.#open[0].replaceChildren();
      this.#written = 0;
      this.#showPlain("");
    }
    while (this.#written < text.length) {
      const end = this.#written + PIECE;
      const next = SPLIT.test(text.slice(end - 1, end + 1)) ? end + 1 : Math.min(end, text.length);
      this.#write(text.slice(this.#written, next));
      this.#written = next;
    }
    placeCites(this.#open[0], sources);
    this.#placeCaret();
  }

  /** End the text: nothing follows. */
  end() {
    if (!this.#plain) smd.parser_end(this.#parser);
    this.#caret.remove();
    this.#rest.remove();
  }

  /** @param {string} piece */
  #write(piece) {
    if (this.#plain) {
      this.#plain.append(piece);
      return;
    }
    smd.parser_write(this.#parser, piece);
    const { len, pending } = this.#parser;
    if (len > OPEN || pending.length > HELD) this.#showPlain(pending);
  }

  /** Show a text, and all that follows, as it is written. @param {string} text */
  #showPlain(text) {
    this.#plain = element("p", { class: "plain" }, text);
    this.#parser.pending = "";
    this.#open = [this.#open[0], this.#plain];
    this.#open[0].append(this.#plain);
  }

  get #here() {
    return /** @type {HTMLElement} */ (this.#open.at(-1));
  }

  /** Put the caret after the last word. Between two list items or rows that is inside the last one. */
  #placeCaret() {
    let at = this.#here;
    while (["UL", "OL", "TABLE", "THEAD", "TBODY", "TR", "DIV"].includes(at.tagName) && at.lastElementChild) {
      at = /** @type {HTMLElement} */ (at.lastElementChild);
    }
    this.#rest.data = PLAIN.test(this.#parser.pending) ? this.#parser.pending : "";
    at.append(this.#rest, this.#caret);
  }

  /** @param {number} type */
  #begin(type) {
    if (this.#open.length > DEEPEST) this.#open.push(this.#here);
    else if (type === smd.CODE_BLOCK || type === smd.CODE_FENCE) {
      const { block, code, named } = codeBlock();
      this.#here.append(block);
      names.set(code, named);
      this.#open.push(code);
    } else if (type === smd.TABLE) {
      const table = element("table");
      this.#here.append(
        element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, table),
      );
      this.#open.push(table);
    } else this.#push(type);
  }

  /** @param {number} type */
  #push(type) {
    let parent = this.#here;
    let tag = TAGS[type] ?? "span";
    if (type === smd.TABLE_ROW) {
      const part = parent.childElementCount === 0 ? "thead" : "tbody";
      if (parent.lastElementChild?.tagName !== part.toUpperCase()) parent.append(element(part));
      parent = /** @type {HTMLElement} */ (parent.lastElementChild);
    } else if (type === smd.TABLE_CELL) tag = parent.parentElement?.tagName === "THEAD" ? "th" : "td";
    else if (type === smd.LINK || type === smd.RAW_URL || type === smd.IMAGE) tag = "a";
    const made = element(tag);
    if (type === smd.CHECKBOX) made.append("\u2610");
    if (type === smd.LINK) kept.add(made);
    parent.append(made);
    this.#open.push(made);
  }

  #end() {
    const ended = /** @type {HTMLElement} */ (this.#open.pop());
    if (ended === this.#open.at(-1)) return; // an element that would have been too deep
    if (names.has(ended)) void highlight(ended);
    if (ended.tagName !== "A" || ended.hasAttribute("href")) return;
    // A link without an address is a citation, has an unsafe address, or is only text in brackets.
    const text = ended.textContent ?? "";
    if (!kept.has(ended)) ended.replaceWith(...ended.childNodes);
    else if (/^\d{1,3}$/.test(text)) ended.replaceWith(citeMark(text));
    else ended.replaceWith("[", ...ended.childNodes, "]");
  }

  /** @param {number} name @param {string} value */
  #set(name, value) {
    const here = this.#here;
    if (this.#open.length > DEEPEST + 1) return;
    if (name === smd.LANG) names.get(here)?.(value);
    else if (name === smd.CHECKED) here.textContent = "\u2611";
    else if (name === smd.START) here.setAttribute("start", value);
    else if (name === smd.HREF || name === smd.SRC) {
      const href = safeHref(value);
      if (href) setHref(here, href);
      else kept.delete(here);
    }
  }
}

/** Text that is part of a word, no matter what follows. */
const PLAIN = /^[\p{L}\p{N}.,;:?!'")]+$/u;

/** Functions that set the language of a code element. @type {WeakMap<Element, (language: string) => void>} */
const names = new WeakMap();

/** Links without an address so far. @type {WeakSet<Element>} */
const kept = new WeakSet();
