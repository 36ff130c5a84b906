/** Places of activities and ways of edges. */
import { keyOf } from "./map-fold.js";
import { NODE, loop, route } from "./route-fold.js";

/** @typedef {import("./route-fold.js").Point} Point */
/** @typedef {import("./route-fold.js").Direction} Direction */
/** @typedef {{from: string, to: string, cases: number}} Line */
/** @typedef {{nodes: string[], edges: Line[], direction: Direction}} Graph */

/**
 * @typedef {object} Layout
 * @property {Map<string, Point>} nodes the centres of activities, by name
 * @property {Map<string, {points: Point[], label: Point}>} edges by key
 * @property {Direction} direction
 * @property {number} arranged edges that were arranged together
 * @property {number} added activities and edges that were added since
 */

/** Space in the flow for the figure of an edge, and beside an activity for its loop. */
const LABEL = { width: 48, height: 18 };
const LOOP = 60;

/** Distances between activities: beside each other, and one after the other. */
const BESIDE = 48;
const AFTER = 68;

/** The part of an arrangement that may be added to it before all is arranged anew. */
const GROWTH = 0.2;

/**
 * Arrange a graph. Takes from milliseconds to seconds.
 * @param {any} dagre the library
 * @param {Graph} graph
 * @returns {Layout}
 */
export function arrange(dagre, { nodes, edges, direction }) {
  const down = direction === "down";
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: down ? "TB" : "LR", nodesep: BESIDE, edgesep: BESIDE / 2, ranksep: AFTER - LABEL.height });
  // The library keeps nodes in an object, so that names would be sorted if they are numbers, and lost if `__proto__`.
  const ids = new Map(nodes.map((name, at) => [name, `n${at}`]));
  const looped = new Set(edges.filter(({ from, to }) => from === to).map(({ from }) => from));
  for (const [name, id] of ids) {
    const space = looped.has(name) ? 2 * LOOP : 0;
    graph.setNode(id, { width: NODE.width + (down ? space : 0), height: NODE.height + (down ? 0 : space) });
  }
  const most = Math.max(1, ...edges.map(({ cases }) => cases));
  for (const { from, to, cases } of edges) {
    if (from === to) continue;
    const weight = 1 + Math.round(9 * Math.sqrt(cases / most));
    graph.setEdge(ids.get(from), ids.get(to), { ...LABEL, labelpos: "c", weight });
  }
  dagre.layout(graph);
  /** @type {Layout} */
  const made = { nodes: new Map(), edges: new Map(), direction, arranged: edges.length, added: 0 };
  for (const [name, id] of ids) made.nodes.set(name, [graph.node(id).x, graph.node(id).y]);
  for (const { from, to } of edges) made.edges.set(keyOf(from, to), placed(from, to));
  return made;

  /** @param {string} from @param {string} to */
  function placed(from, to) {
    const begin = /** @type {Point} */ (made.nodes.get(from));
    if (from === to) return loop(begin, direction);
    const { points, x, y } = graph.edge(ids.get(from), ids.get(to));
    const all = points.map((/** @type {{x: number, y: number}} */ point) => /** @type {Point} */ ([point.x, point.y]));
    // The library ends a way at the space for a loop, not at the activity.
    if (looped.has(from)) all[0] = border(begin, all[1]);
    if (looped.has(to)) all[all.length - 1] = border(/** @type {Point} */ (made.nodes.get(to)), all[all.length - 2]);
    return { points: all, label: /** @type {Point} */ ([x, y]) };
  }
}

/** The point on the border of an activity in the direction of another point. @param {Point} centre @param {Point} other @returns {Point} */
function border([x, y], [otherX, otherY]) {
  const [dx, dy] = [otherX - x, otherY - y];
  const factor = Math.min(NODE.width / 2 / Math.abs(dx || 1e-9), NODE.height / 2 / Math.abs(dy || 1e-9));
  return [x + dx * factor, y + dy * factor];
}

/**
 * Add what is new to a layout, without moving anything.
 * @param {Layout} before
 * @param {Graph} graph
 * @returns {Layout | null} null: so much is new that all should be arranged anew
 */
export function extended(before, { nodes, edges, direction }) {
  const newNodes = nodes.filter((name) => !before.nodes.has(name));
  const newEdges = edges.filter(({ from, to }) => !before.edges.has(keyOf(from, to)));
  const count = newNodes.length + newEdges.length;
  if (direction !== before.direction) return null;
  if (count === 0) return before;
  if (before.added + count > GROWTH * before.arranged) return null;
  const places = new Map(before.nodes);
  for (const name of newNodes) places.set(name, freePlace(name, edges, places, direction));
  const ways = new Map(before.edges);
  for (const { from, to } of newEdges) {
    const [begin, end] = /** @type {Point[]} */ ([places.get(from), places.get(to)]);
    ways.set(
      keyOf(from, to),
      from === to ? loop(begin, direction) : route(begin, end, [...places.values()], direction),
    );
  }
  return { ...before, nodes: places, edges: ways, added: before.added + count };
}

/**
 * A place after the activity from which most cases come to a new one.
 * @param {string} name @param {readonly Line[]} edges @param {Map<string, Point>} places @param {Direction} direction
 * @returns {Point}
 */
function freePlace(name, edges, places, direction) {
  const to = edges.find((edge) => edge.to === name && places.has(edge.from));
  const from = edges.find((edge) => edge.from === name && places.has(edge.to));
  const [width, height] = [NODE.width + BESIDE, NODE.height + AFTER];
  const step = direction === "down" ? [0, height] : [NODE.width + 2 * AFTER, 0];
  const near = places.get(to?.from ?? from?.to ?? "");
  const sign = to ? 1 : -1;
  let [x, y] = near ? [near[0] + sign * step[0], near[1] + sign * step[1]] : [0, 0];
  const taken = () =>
    [...places.values()].some((at) => Math.abs(at[0] - x) < width && Math.abs(at[1] - y) < height - 24);
  while (taken()) direction === "down" ? (x += width) : (y += NODE.height + BESIDE);
  return [x, y];
}

/**
 * Move a new layout as a whole, so that its activities are near where they were.
 * @param {Layout | null} before
 * @param {Layout} after
 * @returns {Layout}
 */
export function settled(before, after) {
  if (!before || before.direction !== after.direction) return after;
  const moves = [...after.nodes].flatMap(([name, [x, y]]) => {
    const was = before.nodes.get(name);
    return was ? [[was[0] - x, was[1] - y]] : [];
  });
  if (moves.length === 0) return after;
  const [dx, dy] = [0, 1].map((axis) => moves.map((move) => move[axis]).sort((a, b) => a - b)[moves.length >> 1]);
  const moved = (/** @type {Point} */ [x, y]) => /** @type {Point} */ ([x + dx, y + dy]);
  return {
    ...after,
    nodes: new Map([...after.nodes].map(([name, at]) => [name, moved(at)])),
    edges: new Map(
      [...after.edges].map(([key, { points, label }]) => [key, { points: points.map(moved), label: moved(label) }]),
    ),
  };
}

/** @typedef {{left: number, top: number, width: number, height: number}} Box */

/**
 * The box around everything that is drawn.
 * @param {Layout} layout
 * @param {readonly string[]} nodes
 * @param {readonly {from: string, to: string}[]} edges
 * @returns {Box}
 */
export function bounds(layout, nodes, edges) {
  const corners = nodes.flatMap((name) => {
    const at = layout.nodes.get(name);
    const [x, y] = [NODE.width / 2, NODE.height / 2];
    return at ? [[at[0] - x, at[1] - y], [at[0] + x, at[1] + y]] : []; // prettier-ignore
  });
  const bends = edges.flatMap(({ from, to }) => layout.edges.get(keyOf(from, to))?.points ?? []);
  const all = [...corners, ...bends];
  if (all.length === 0) return { left: 0, top: 0, width: 1, height: 1 };
  const [left, top] = [0, 1].map((axis) => all.reduce((low, point) => Math.min(low, point[axis]), Infinity));
  const [right, bottom] = [0, 1].map((axis) => all.reduce((high, point) => Math.max(high, point[axis]), -Infinity));
  return { left, top, width: right - left, height: bottom - top };
}
