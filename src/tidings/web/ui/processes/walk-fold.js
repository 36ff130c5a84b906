/** The way of the keyboard through a map: from an activity to an edge, and on to the next activity. */
import { keyOf } from "./map-fold.js";

/** @typedef {import("./layout-fold.js").Layout} Layout */
/** @typedef {import("./map-fold.js").Drawn} Drawn */

/** The arrow keys of a map's flow: on, back, and to both sides. */
const KEYS = {
  down: { ArrowDown: "on", ArrowUp: "back", ArrowLeft: "before", ArrowRight: "after" },
  right: { ArrowRight: "on", ArrowLeft: "back", ArrowUp: "before", ArrowDown: "after" },
};

/** Activities are in one row if they are this near along the flow. */
const ROW = 30;

/**
 * The activity or edge to which a key leads.
 * @param {string} key of the keyboard
 * @param {string} at an activity's name or an edge's key
 * @param {Drawn} drawn
 * @param {Layout} layout
 * @returns {string | null} null: it leads nowhere
 */
export function walked(key, at, { nodes, edges }, layout) {
  if (key === "Home") return nodes[0]?.activity ?? null;
  const keys = /** @type {Record<string, string>} */ (KEYS[layout.direction]);
  const step = keys[key];
  if (!step) return null;
  const edge = edges.find(({ from, to }) => keyOf(from, to) === at);
  if (edge && step === "on") return edge.to;
  if (edge && step === "back") return edge.from;
  const across = layout.direction === "down" ? 0 : 1;
  if (edge) {
    const beside = edges
      .filter(({ from }) => from === edge.from)
      .map(({ from, to }) => keyOf(from, to))
      .sort((a, b) => (layout.edges.get(a)?.label[across] ?? 0) - (layout.edges.get(b)?.label[across] ?? 0));
    return beside[beside.indexOf(at) + (step === "after" ? 1 : -1)] ?? null;
  }
  if (step === "on" || step === "back") {
    const next = edges.find(({ from, to }) => (step === "on" ? from : to) === at && from !== to);
    return next ? keyOf(next.from, next.to) : null;
  }
  const here = layout.nodes.get(at);
  if (!here) return null;
  const row = nodes
    .flatMap(({ activity }) => {
      const place = layout.nodes.get(activity);
      return place && Math.abs(place[1 - across] - here[1 - across]) < ROW ? [{ activity, at: place[across] }] : [];
    })
    .sort((a, b) => a.at - b.at)
    .map(({ activity }) => activity);
  return row[row.indexOf(at) + (step === "after" ? 1 : -1)] ?? null;
}
