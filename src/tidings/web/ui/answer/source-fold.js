/** The texts of a source of an answer. */

/** The file or address of a source, and its lines. @param {import("./fold.js").Source} source */
export function placeOf({ path, url, lines }) {
  const range = lines && (lines[0] === lines[1] ? `line ${lines[0]}` : `lines ${lines[0]}\u2013${lines[1]}`);
  return [path ?? url, range].filter(Boolean).join(", ");
}

/** A Markdown passage, as plain text. @param {string} passage */
export const plain = (passage) => passage.replace(/^\s*[-*] /gm, "\u2022 ").replace(/(\*\*|__|`)/g, "");
