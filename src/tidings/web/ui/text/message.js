/** A message's text, cut into plain text, `code`, links and mentions. Nothing becomes HTML. */

/** @typedef {{kind: "text" | "code" | "link" | "mention" | "me", text: string}} Piece */

const PIECES = /`([^`\n]+)`|https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]]/g;

/** @param {string} text */
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/**
 * @param {string} text
 * @param {object} who
 * @param {readonly string[]} who.names people who can be mentioned, by the whole name or its first word
 * @param {string | null} who.me the person whose mentions stand out
 * @returns {Piece[]}
 */
export function pieces(text, { names, me }) {
  /** @type {Piece[]} */
  const all = [];
  let at = 0;
  for (const found of text.matchAll(PIECES)) {
    all.push(...mentions(text.slice(at, found.index), names, me));
    all.push(found[1] ? { kind: "code", text: found[1] } : { kind: "link", text: found[0] });
    at = found.index + found[0].length;
  }
  all.push(...mentions(text.slice(at), names, me));
  return all;
}

/** @param {string} text @param {readonly string[]} names @param {string | null} me @returns {Piece[]} */
function mentions(text, names, me) {
  if (!text) return [];
  // Longest first, because a name may be the beginning of another one.
  const words = names.flatMap((name) => [name, name.split(/\s+/)[0]]).sort((a, b) => b.length - a.length);
  if (words.length === 0) return [{ kind: "text", text }];
  const mine = new Set([me, me?.split(/\s+/)[0]].map((word) => word?.toLowerCase()));
  const sought = new RegExp(`(?<![\\p{L}\\p{N}_])@(${words.map(escaped).join("|")})(?![\\p{L}\\p{N}_])`, "giu");
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
