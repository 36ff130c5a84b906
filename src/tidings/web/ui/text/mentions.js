/** @typedef {{names: readonly string[], me: string | null}} Mentions names that a message calls, and whose calls stand out */

/** @typedef {{kind: "text" | "mention" | "me", text: string}} Piece */

/** @param {string} text */
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** A letter of a script without spaces between words, as the server has it. */
const UNSPACED = `[${["Han", "Hiragana", "Katakana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar"].map((script) => `\\p{Script=${script}}`).join("")}]`;

/** A letter of any other script. */
const LETTER = `(?!${UNSPACED})[\\p{L}\\p{N}_]`;

const ENDS_UNSPACED = new RegExp(`${UNSPACED}$`, "u");

/**
 * Cut a text at its calls.
 * @param {string} text
 * @param {Mentions} mentions people are called by the whole name or its first word
 * @returns {Piece[]}
 */
export function pieces(text, { names, me }) {
  if (!text.includes("@") || names.length === 0) return [{ kind: "text", text }];
  // Longest first, because a name may be the beginning of another one.
  const words = names.flatMap((name) => [name, name.split(/\s+/)[0]]).sort((a, b) => b.length - a.length);
  const mine = new Set([me, me?.split(/\s+/)[0]].map((word) => word?.toLowerCase()));
  const ends = words.map((word) => `${escaped(word)}(?!${ENDS_UNSPACED.test(word) ? "[\\p{L}\\p{N}_]" : LETTER})`);
  const sought = new RegExp(`(?<!${LETTER})@(${ends.join("|")})`, "giu");
  /** @type {Piece[]} */
  const all = [];
  let at = 0;
  for (const found of text.matchAll(sought)) {
    if (found.index > at) all.push({ kind: "text", text: text.slice(at, found.index) });
    const isMe = me !== null && names.includes(me) && mine.has(found[1].toLowerCase());
    all.push({ kind: isMe ? "me" : "mention", text: found[0] });
    at = found.index + found[0].length;
  }
  if (at < text.length) all.push({ kind: "text", text: text.slice(at) });
  return all;
}
