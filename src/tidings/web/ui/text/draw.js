import { citeMark } from "./cites.js";
import { codeBlock } from "./code.js";
import { element, safeHref, setHref } from "./element.js";
import { formula } from "./math.js";
import { pieces } from "./mentions.js";

/** @typedef {import("markdown-it").Token} Token */

/**
 * @typedef {object} Style how a text is drawn
 * @property {boolean} [breaks] each end of a line is a line break
 * @property {import("./mentions.js").Mentions | null} [mentions]
 */

/** Elements that are open at once at most. Deeper emphasis is drawn without its marks: a text may nest 16,000. */
const DEEPEST = 48;

/** @type {Record<string, string>} */
const TAGS = { bullet_list: "ul", ordered_list: "ol", list_item: "li", paragraph: "p", blockquote: "blockquote" };

/** Tags of which a whole block is made, and in whose languages their text runs. */
const DIRECTED = "P H3 H4 H5 H6 UL OL BLOCKQUOTE TABLE".split(" ");

/**
 * Draw a block of Markdown as an element. The text may come from anybody: it becomes elements of known kinds, text, and
 * links to http, https and mailto only, never HTML, and no picture is loaded.
 *
 * @param {Token[]} tokens
 * @param {Style} style
 * @returns {HTMLElement}
 */
export function draw(tokens, style) {
  const root = element("div");
  new Drawing(root, style).all(tokens);
  const block = /** @type {HTMLElement} */ (root.firstElementChild ?? element("p"));
  const directed = block.matches(".table") ? /** @type {Element} */ (block.firstElementChild) : block;
  if (DIRECTED.includes(directed.tagName)) directed.setAttribute("dir", "auto");
  return block;
}

class Drawing {
  /** The open elements, innermost last. @type {HTMLElement[]} */
  #open;
  #style;
  /** Open quotes and links, in which nobody is called. */
  #silent = 0;

  /** @param {HTMLElement} root @param {Style} style */
  constructor(root, style) {
    this.#open = [root];
    this.#style = style;
  }

  get #here() {
    return /** @type {HTMLElement} */ (this.#open.at(-1));
  }

  /** @param {Token[]} tokens */
  all(tokens) {
    for (const token of tokens) {
      if (token.type === "inline") this.#words(token);
      else if (token.nesting > 0) this.#begin(token);
      else if (token.nesting < 0) this.#end(token);
      else this.#leaf(token);
    }
  }

  /** @param {Token} token */
  #begin(token) {
    const kind = token.type.slice(0, -"_open".length);
    if (kind === "blockquote" || kind === "link") this.#silent += 1;
    const made = this.#open.length > DEEPEST || token.hidden ? null : this.#made(kind, token);
    if (made) this.#here.append(made);
    this.#open.push(
      /** @type {HTMLElement} */ (made?.matches("div.table") ? made.firstElementChild : (made ?? this.#here)),
    );
  }

  /** @param {string} kind @param {Token} token @returns {HTMLElement | null} null for what is drawn without an element */
  #made(kind, token) {
    if (kind === "heading") return element(`h${Math.min(Number(token.tag[1]) + 2, 6)}`); // the page's title is its only h1
    if (kind === "link") return link(String(token.attrGet("href") ?? ""));
    if (kind === "table")
      return element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, element("table"));
    const made = element(TAGS[kind] ?? token.tag);
    const start = token.attrGet("start");
    if (start !== null) made.setAttribute("start", String(start));
    const side = /text-align:(\w+)/.exec(String(token.attrGet("style") ?? ""));
    if (side) made.setAttribute("align", side[1]);
    return made;
  }

  /** @param {Token} token */
  #end(token) {
    if (token.type === "blockquote_close" || token.type === "link_close") this.#silent -= 1;
    this.#open.pop();
  }

  /** @param {Token} token */
  #words(token) {
    const children = token.children ?? [];
    const task = this.#here.closest("li") && /^\[([ xX])\] /.exec(children[0]?.content ?? "");
    if (task && children[0].type === "text" && !this.#here.closest("li")?.textContent) {
      this.#here.append(element("span", { class: "task" }, task[1] === " " ? "\u2610" : "\u2611"), " ");
      children[0].content = children[0].content.slice(task[0].length);
    }
    this.all(children);
  }

  /** @param {Token} token */
  #leaf({ type, content, info, markup, block, attrs }) {
    const here = this.#here;
    if (type === "text" || type === "text_special") this.#text(content);
    else if (type === "softbreak" && !this.#style.breaks) here.append("\n");
    else if (type === "softbreak" || type === "hardbreak") here.append(element("br"), "\n");
    else if (type === "code_inline") here.append(element("code", {}, content));
    else if (type === "cite") here.append(citeMark(content));
    else if (type === "math") here.append(formula(content, markup, block));
    else if (type === "hr") here.append(element("hr"));
    else if (type === "plain") here.append(element("p", { class: "plain" }, content));
    else if (type === "image") this.#image(attrs ?? [], content);
    else if (type === "fence" || type === "code_block") {
      const made = codeBlock();
      made.code.textContent = content.replace(/\n$/, "");
      made.named(info);
      here.append(made.block);
    }
  }

  /** @param {string} text */
  #text(text) {
    const { mentions } = this.#style;
    if (!mentions || this.#silent > 0) return this.#here.append(text);
    for (const { kind, text: piece } of pieces(text, mentions)) {
      if (kind === "text") this.#here.append(piece);
      else this.#here.append(element("span", { class: kind === "me" ? "mention mine" : "mention" }, piece));
    }
  }

  /** Name a picture by a link to it: pictures are not loaded. @param {[string, string | number][]} attributes @param {string} name */
  #image(attributes, name) {
    const made = link(String(new Map(attributes).get("src") ?? ""));
    if (made) this.#here.append(made);
    (made ?? this.#here).append(name || "Image");
  }
}

/** @param {string} address @returns {HTMLElement | null} */
function link(address) {
  const href = safeHref(address);
  if (!href) return null;
  const made = element("a");
  setHref(made, href);
  return made;
}
