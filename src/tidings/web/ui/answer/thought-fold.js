/** The reasoning of a model whose provider does not tell it apart from the answer. Pure. */

/** @typedef {import("./fold.js").Part} Part */

/** The reasoning at the beginning of a text, as models write it whose provider does not tell it apart. */
export const THOUGHT = /^\s*<think>([^]*?)(<\/think>\s*|$)/;

/**
 * Tell the reasoning at the beginning of a text apart.
 * @param {Part} part
 * @returns {Part[]}
 */
export function thoughtApart(part) {
  const found = part.kind === "text" ? THOUGHT.exec(part.text) : null;
  if (!found || part.kind !== "text") return [part];
  const [all, thought, end] = found;
  const open = part.open && end === "";
  const ended = open ? null : (part.thought ?? part.ended);
  const reasoning = {
    ...part,
    kind: /** @type {const} */ ("reasoning"),
    id: `${part.id}-thought`,
    text: thought.trim(),
  };
  const answer = { ...part, text: part.text.slice(all.length) };
  return [...(reasoning.text ? [{ ...reasoning, open, ended }] : []), ...(answer.text ? [answer] : [])];
}
