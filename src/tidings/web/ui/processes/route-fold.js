/** The lines of a map: the way of an edge between two activities, and the curve through the points of a way. */

/** @typedef {[number, number]} Point */
/** @typedef {"down" | "right"} Direction */

/** The size of an activity. */
export const NODE = { width: 184, height: 52 };

/** Distances: from an activity to a line that goes around it, from a curve's end to the tip of its arrow. */
const AROUND = 44;
const TIP = 9;

/** @param {Point} point */
const turned = ([x, y]) => /** @type {Point} */ ([y, x]);

/**
 * The way of an edge from an activity to itself.
 * @param {Point} at the centre of the activity
 * @param {Direction} direction of the map: the loop is beside its flow
 * @returns {{points: Point[], label: Point}}
 */
export function loop([x, y], direction) {
  const side = direction === "down";
  const half = side ? NODE.width / 2 : NODE.height / 2;
  /** @type {Point[]} */
  const points = [
    [half, -12],
    [half + 30, -16],
    [half + AROUND, 0],
    [half + 30, 16],
    [half, 12],
  ].map(([across, along]) => (side ? [x + across, y + along] : [x + along, y + across]));
  return { points, label: points[2] };
}

/**
 * A way from one activity to another that was not arranged with the others, such as one that has just come. It goes
 * straight on in the direction of the map, beside any activity between the two, and back at the side.
 * @param {Point} from the centre of an activity
 * @param {Point} to
 * @param {readonly Point[]} others the centres of all activities
 * @param {Direction} direction
 * @returns {{points: Point[], label: Point}}
 */
export function route(from, to, others, direction) {
  if (direction === "down") return way(from, to, others, NODE.width / 2, NODE.height / 2);
  const { points, label } = way(turned(from), turned(to), others.map(turned), NODE.height / 2, NODE.width / 2);
  return { points: points.map(turned), label: turned(label) };
}

/**
 * The way in a map that flows down.
 * @param {Point} from @param {Point} to @param {readonly Point[]} others
 * @param {number} half the half of an activity's size across the flow
 * @param {number} depth and along it
 */
function way(from, to, others, half, depth) {
  const [[x, y], [endX, endY]] = [from, to];
  const forward = endY - y >= 2 * depth + TIP;
  const begin = /** @type {Point} */ (forward ? [x, y + depth] : [x + half, y]);
  const end = /** @type {Point} */ (forward ? [endX, endY - depth] : [endX + half, endY]);
  const middle = /** @type {Point} */ ([(begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2]);
  const [top, bottom] = [Math.min(begin[1], end[1]) - 1, Math.max(begin[1], end[1]) + 1];
  const between = others.filter(([, at]) => at + depth > top && at - depth < bottom);
  const line = (/** @type {number} */ at) =>
    end[1] === begin[1] ? middle[0] : begin[0] + ((end[0] - begin[0]) * (at - begin[1])) / (end[1] - begin[1]);
  const passes = between.every(
    ([across, at]) => same([across, at], from, to) || Math.abs(line(at) - across) > half + 8,
  );
  if (!forward || !passes) {
    const sides = between
      .filter(([across]) => Math.abs(across - middle[0]) < 3 * half)
      .map(([across]) => across + half);
    middle[0] = Math.max(begin[0], end[0], ...sides) + AROUND;
  }
  return { points: [begin, middle, end], label: middle };
}

/** @param {Point} at @param {...Point} ends */
const same = (at, ...ends) => ends.some(([x, y]) => x === at[0] && y === at[1]);

/**
 * A smooth curve through points, with the tip of an arrow at its end, as paths of SVG.
 * @param {readonly Point[]} points at least two
 * @param {number} width of the line
 * @returns {{line: string, tip: string}}
 */
export function curve(points, width) {
  const last = points.length - 1;
  const [x, y] = points[last];
  const [beforeX, beforeY] = points[last - 1];
  const length = Math.hypot(x - beforeX, y - beforeY) || 1;
  const [dx, dy] = [(x - beforeX) / length, (y - beforeY) / length];
  const cut = Math.min(TIP, length / 2);
  const through = [...points.slice(0, last), /** @type {Point} */ ([x - dx * cut, y - dy * cut])];
  const half = 3 + width / 2;
  const corners = [
    [x, y],
    [x - dx * cut - dy * half, y - dy * cut + dx * half],
    [x - dx * cut + dy * half, y - dy * cut - dx * half],
  ];
  return { line: smooth(through), tip: `M${corners.map(written).join("L")}Z` };
}

/**
 * A curve that passes through points. Its handles are no longer than a third of the shorter way to a neighbour, so that
 * no bend swings out.
 * @param {readonly Point[]} points
 */
function smooth(points) {
  const apart = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.hypot(points[b][0] - points[a][0], points[b][1] - points[a][1]);
  const handles = points.map((_, at) => {
    const [before, after] = [Math.max(0, at - 1), Math.min(points.length - 1, at + 1)];
    const length = apart(before, after) || 1;
    const size = Math.min(...[before, after].filter((one) => one !== at).map((one) => apart(one, at))) / 3;
    return [0, 1].map((axis) => ((points[after][axis] - points[before][axis]) / length) * size);
  });
  const parts = points.slice(1).map((to, at) => {
    const from = points[at];
    const one = [from[0] + handles[at][0], from[1] + handles[at][1]];
    const two = [to[0] - handles[at + 1][0], to[1] - handles[at + 1][1]];
    return `C${[one, two, to].map(written).join(" ")}`;
  });
  return `M${written(points[0])}${parts.join("")}`;
}

/** @param {readonly number[]} point */
const written = ([x, y]) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
