/** Emoji and their names. Pure. */

/** @typedef {{emoji: string, names: readonly string[], group: number}} Emoji `group`: its index in GROUPS */

/** The groups of emoji, each with the name of its first. @type {readonly (readonly [string, string])[]} */
export const GROUPS = [
  ["Smileys", "grinning"],
  ["People", "wave"],
  ["Nature", "monkey_face"],
  ["Food", "grapes"],
  ["Travel", "earth_africa"],
  ["Activities", "jack_o_lantern"],
  ["Objects", "eyeglasses"],
  ["Symbols", "atm"],
  ["Flags", "checkered_flag"],
];

const SYMBOLS = 7;

/**
 * @param {Readonly<Record<string, string>>} data emoji by name, in the order of their groups. Names that are numbers come
 *   before all groups
 * @returns {Emoji[]}
 */
export function emojiOf(data) {
  /** @type {Map<string, {emoji: string, names: string[], group: number}>} */
  const all = new Map();
  let group = SYMBOLS;
  for (const [name, emoji] of Object.entries(data)) {
    const begins = GROUPS.findIndex(([, first]) => first === name);
    if (begins >= 0) group = begins;
    const known = all.get(emoji);
    if (known) known.names.push(name);
    else all.set(emoji, { emoji, names: [name], group });
  }
  return [...all.values()];
}

/**
 * The emoji with a name that holds a text: first those whose name is the text, then those whose name begins with it.
 * @param {readonly Emoji[]} all
 * @param {string} text
 * @param {number} most
 */
export function search(all, text, most) {
  const low = text.trim().toLowerCase().replace(/\s+/g, "_");
  const rank = (/** @type {string} */ name) =>
    name === low ? 0 : name.startsWith(low) ? 1 : name.includes(`_${low}`) ? 2 : name.includes(low) ? 3 : 4;
  const ranked = all.map((one) => ({ one, rank: Math.min(...one.names.map(rank)) })).filter(({ rank }) => rank < 4);
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ one }) => one);
}

/** The name of an emoji for people. @param {Emoji} one */
export const labelOf = ({ names }) => names[0].replaceAll("_", " ");
