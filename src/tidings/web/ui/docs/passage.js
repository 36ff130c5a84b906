/** The place of a passage in a page of the documentation. */

/** @typedef {{before: string, passage: string, after: string}} Cut */

/**
 * Cut a page around some of its lines, so that each piece is Markdown that can be drawn by itself. Of a table, all rows
 * belong to the passage.
 * @param {string} text
 * @param {readonly [number, number] | null} lines the first and the last line of the passage, from 1
 * @returns {Cut}
 */
export function cutOut(text, lines) {
  const all = text.split("\n");
  if (!lines || lines[0] < 1 || lines[0] > all.length || lines[1] < lines[0])
    return { before: text, passage: "", after: "" };
  let [from, to] = [lines[0] - 1, Math.min(lines[1], all.length)];
  const isRow = (/** @type {number} */ at) => all[at]?.startsWith("|") ?? false;
  if (isRow(from)) while (isRow(from - 1)) from -= 1;
  if (isRow(to - 1)) while (isRow(to)) to += 1;
  const part = (/** @type {number} */ start, /** @type {number} */ end) => all.slice(start, end).join("\n");
  return { before: part(0, from), passage: part(from, to), after: part(to, all.length) };
}

/**
 * Make the links of a page whole, and leave out its pictures and comments: only the Markdown of pages is served.
 * @param {string} text
 * @param {string} base the address of the page
 */
export function withWholeLinks(text, base) {
  return text
    .replace(/^<!--.*-->$/gm, "")
    .replace(/^!\[[^\]]*\]\([^)]*\)$/gm, "")
    .replace(/\]\(([\w./-]*(?:\.md)?(?:#[\w.-]+)?)\)/g, (whole, address) =>
      address.includes(".md") || address.startsWith("#") ? `](${new URL(address, base).href})` : whole,
    );
}
