/** The Markdown of people and of models: CommonMark with tables, strikethrough, bare addresses and formulas. Pure. */
import MarkdownIt from "markdown-it";

/** @typedef {import("markdown-it").Token} Token */

/**
 * @typedef {object} Env what the rules know of a text
 * @property {Record<string, any>} references
 * @property {boolean} cites `[1]` is a citation
 * @property {boolean} writing the text is still being written
 * @property {Token[] | null} open the tokens of the last words of such a text
 */

/** Quotes and lists that are open at once at most. Deeper text is plain: a tab that lays out 2,000 can crash. */
export const DEEPEST = 24;

const markdown = new MarkdownIt({ linkify: true, maxNesting: DEEPEST + 8 });
markdown.validateLink = () => true; // addresses are checked where links are drawn
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false }).add("//", null).add("ftp:", null);
markdown.core.ruler.disable(["normalize", "block"]); // `blocks` does them

/**
 * Cut a text into blocks, such as paragraphs and lists.
 * @param {string} text
 * @param {Env} env gets the text's references
 * @returns {{source: string, tokens: Token[]}[]}
 */
export function blocks(text, env) {
  /** @type {Token[]} */
  const tokens = [];
  markdown.block.parse(text, markdown, env, tokens);
  const starts = lineStarts(text);
  const firsts = tokens
    .map((token, at) => ({ token, at }))
    .filter(({ token }) => token.level === 0 && token.nesting >= 0 && token.type !== "reference_definition");
  const begins = firsts.map(({ token }) => starts[token.map?.[0] ?? 0]);
  return firsts.map(({ at }, n) => ({
    source: text.slice(begins[n], begins[n + 1]),
    tokens: tokens.slice(at, firsts[n + 1]?.at),
  }));
}

/** @param {string} text */
function lineStarts(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Read the words of a block's paragraphs. @param {Token[]} tokens @param {Env} env */
export function readWords(tokens, env) {
  const state = new markdown.core.State("", markdown, /** @type {any} */ (env));
  state.tokens = tokens;
  markdown.core.process(state);
}

/** Lines of a formula that stands by itself. */
const FORMULA_LINES = 100;

/** @type {Record<string, string>} */
const CLOSERS = { "\\(": "\\)", "\\[": "\\]", $$: "$$" };

/** Marks that nobody means as Markdown, and of which nothing would be seen: a rule, or the fence of a code block. */
const MARKS = /^[*_~`=-]{100}/;

/** Text that nests too deeply, and a line of marks, is plain. */
markdown.block.ruler.before("table", "deep", (state, start, end, silent) => {
  const deep = state.level >= DEEPEST;
  const at = state.bMarks[start] + state.tShift[start];
  if (silent || (!deep && !MARKS.test(state.src.slice(at, at + 100)))) return false;
  let next = start + 1;
  while (deep && next < end && !state.isEmpty(next) && state.sCount[next] >= state.blkIndent) next += 1;
  const token = state.push("plain", "", 0);
  token.content = state.getLines(start, next, state.blkIndent, false).trim();
  token.map = [start, next];
  state.line = next;
  return true;
});

const interrupts = { alt: ["paragraph", "reference", "blockquote", "list"] };

/** A formula on lines of its own: `$$` or `\[` begins the first of them, and the closer ends the last one. */
const formulaBlock = (
  /** @type {any} */ state,
  /** @type {number} */ start,
  /** @type {number} */ end,
  /** @type {boolean} */ silent,
) => {
  if (state.sCount[start] - state.blkIndent >= 4) return false;
  const first = state.src.slice(state.bMarks[start] + state.tShift[start], state.eMarks[start]).trimEnd();
  const closer = CLOSERS[first.slice(0, 2)];
  if (!closer || closer === "\\)") return false;
  const lines = [first.slice(2)];
  let next = start;
  while (!lines[lines.length - 1].trimEnd().endsWith(closer)) {
    next += 1;
    if (next >= end && state.level === 0 && state.env.writing) return pushFormula(state, start, end, "plain", silent);
    if (next >= end || state.sCount[next] < state.blkIndent || next - start > FORMULA_LINES) return false;
    lines.push(state.src.slice(state.bMarks[next] + state.tShift[next], state.eMarks[next]));
  }
  const tex = lines.join("\n").trimEnd().slice(0, -2).trim();
  if (tex === "" || tex.includes(closer)) return false;
  return pushFormula(state, start, next + 1, "math", silent, tex);
};

/**
 * Push a formula, or the beginning of one that is still being written, which is shown as it is.
 * @param {any} state
 * @param {number} start its first line
 * @param {number} end the line after it
 * @param {"math" | "plain"} type
 * @param {boolean} silent
 * @param {string} [tex]
 */
function pushFormula(state, start, end, type, silent, tex) {
  if (silent) return true;
  const text = state.getLines(start, end, state.blkIndent, false).trim();
  Object.assign(state.push(type, "", 0), { content: tex ?? text, markup: text.slice(0, 2), map: [start, end] });
  state.line = end;
  return true;
}

markdown.block.ruler.before("fence", "math", formulaBlock, interrupts);

/** A formula among words. */
markdown.inline.ruler.before("escape", "math", (state, silent) => {
  const opener = state.src.slice(state.pos, state.pos + 2);
  const closer = CLOSERS[opener];
  // No closer after a place means no closer after any later place: a text may hold 50,000 openers.
  const none = /** @type {Set<string>} */ (/** @type {any} */ (state).unclosed ??= new Set());
  if (!closer || none.has(closer)) return false;
  const end = state.src.indexOf(closer, state.pos + 2);
  if (end < 0 || end + 2 > state.posMax) {
    none.add(closer);
    if (!unfinished(state, silent)) return false;
    state.push("text", "", 0).content = state.src.slice(state.pos);
    state.pos = state.posMax;
    return true;
  }
  const tex = state.src.slice(state.pos + 2, end);
  if (tex.trim() === "" || (opener === "$$" && tex.trim() !== tex)) return false;
  if (!silent) Object.assign(state.push("math", "", 0), { content: tex.trim(), markup: opener });
  state.pos = end + 2;
  return true;
});

/** A line break as models write it in tables. All other HTML is text. */
markdown.inline.ruler.before("autolink", "br", (state, silent) => {
  const found = /^<br ?\/?>/i.exec(state.src.slice(state.pos, state.pos + 6));
  if (!found) return false;
  if (!silent) state.push("hardbreak", "br", 0);
  state.pos += found[0].length;
  return true;
});

/** A citation, `[1]`. */
markdown.inline.ruler.before("link", "cite", (state, silent) => {
  const found = !!state.env.cites && /^\[(\d{1,3})\](?![(:])/.exec(state.src.slice(state.pos, state.pos + 6));
  if (!found) return false;
  if (!silent) state.push("cite", "", 0).content = found[1];
  state.pos += found[0].length;
  return true;
});

/** Check if the rule reads the last words of a text that is still being written. @param {any} state @param {boolean} silent */
const unfinished = (state, silent) => !silent && state.env.open === state.tokens;

/** Code whose end is still to come. */
markdown.inline.ruler.before("backticks", "unclosed code", (state, silent) => {
  if (state.src[state.pos] !== "`" || !unfinished(state, silent)) return false;
  const [marks] = /** @type {RegExpExecArray} */ (/^`+/.exec(state.src.slice(state.pos)));
  const rest = state.src.slice(state.pos + marks.length);
  if (rest.trim() === "" || (rest.match(/`+/g) ?? []).some((run) => run.length === marks.length)) return false;
  Object.assign(state.push("code_inline", "code", 0), { content: rest.trim(), markup: marks });
  state.pos = state.posMax;
  return true;
});

/** A link whose address is still being written: its words alone. */
markdown.inline.ruler.before("link", "unclosed link", (state, silent) => {
  if (!unfinished(state, silent) || !"![".includes(state.src[state.pos])) return false;
  const found = /^!?\[([^[\]\n]*)\]\([^()\s]*$/.exec(state.src.slice(state.pos));
  if (!found) return false;
  state.push("text", "", 0).content = found[1];
  state.pos = state.posMax;
  return true;
});

/** Strong words whose end is still to come. */
markdown.inline.ruler2.after("balance_pairs", "unclosed strong", (state) => {
  if (!unfinished(state, false)) return false;
  const { delimiters } = state;
  const closes = new Map(delimiters.flatMap(({ end }, at) => (end >= 0 ? [[end, at]] : [])));
  for (let at = delimiters.length - 1; at > 0; at--) {
    const [outer, inner] = [delimiters[at - 1], delimiters[at]];
    const pair = closes.get(at);
    if (pair !== undefined) at = pair;
    else if (inner.marker === 42 && isOpen(inner) && isOpen(outer) && outer.token === inner.token - 1) {
      for (const opener of [inner, outer]) {
        state.push("text", "", 0);
        opener.end = delimiters.length;
        delimiters.push({ ...opener, token: state.tokens.length - 1, end: -1, open: false, close: false });
      }
      at -= 1;
    }
  }
  return false;
});

/** @param {{open: boolean, end: number}} delimiter */
const isOpen = ({ open, end }) => open && end < 0;

/** Letters of scripts without spaces between words, in which a mark may stand between punctuation and a letter. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Marks that end emphasis after Chinese punctuation: CommonMark wants a space after them, which Chinese does not have. */
markdown.inline.State = class extends markdown.inline.State {
  /** @param {number} start @param {boolean} canSplitWord @override */
  scanDelims(start, canSplitWord) {
    const found = super.scanDelims(start, canSplitWord);
    if (found.can_open && found.can_close) return found;
    const before = [...this.src.slice(Math.max(0, start - 2), start)].at(-1) ?? " ";
    const after = [...this.src.slice(start + found.length, start + found.length + 2)][0] ?? " ";
    const joined = canSplitWord && !/\s/.test(before + after);
    if (joined && UNSPACED.test(after) && !found.can_close) found.can_close = true;
    if (joined && UNSPACED.test(before) && !found.can_open) found.can_open = true;
    return found;
  }
};
