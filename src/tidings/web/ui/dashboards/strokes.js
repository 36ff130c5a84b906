/** Strokes on the canvas of a chart, beside its lines: gaps, thresholds, and the last points. */

/** @typedef {import("./chart.js").Plot} Plot */

/** Pixels between two strokes of a hatch. */
const APART = 6;

/** Hatch the times without events. No line is drawn across them. @param {Plot} plot @param {readonly (readonly [number, number])[]} gaps @param {string} colour */
export function hatch({ ctx, bbox, valToPos }, gaps, colour) {
  const { left, top, width, height } = bbox;
  ctx.save();
  ctx.beginPath();
  for (const [from, to] of gaps) {
    const [a, b] = [from, to].map((time) => Math.max(left, Math.min(left + width, valToPos(time, "x", true))));
    if (b > a) ctx.rect(a, top, b - a, height);
  }
  ctx.clip();
  ctx.beginPath();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  const apart = APART * devicePixelRatio;
  if (gaps.length > 0)
    for (let x = left - height; x < left + width; x += apart) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
  ctx.stroke();
  ctx.restore();
}

/** Pixels of the bar above the time in which an alert fired. */
const BAR = 3;

/**
 * Draw when alerts fired: a pale ground with a bar above it.
 * @param {Plot} plot
 * @param {readonly import("./episodes-fold.js").Episode[]} episodes
 * @param {string} colour
 * @param {(colour: string, share: number) => string} pale
 */
export function alarms({ ctx, bbox, valToPos }, episodes, colour, pale) {
  const { left, top, width, height } = bbox;
  ctx.save();
  for (const { from, to } of episodes) {
    const a = Math.max(left, valToPos(from, "x", true));
    const b = Math.min(left + width, to === null ? left + width : valToPos(to, "x", true));
    if (b < left || a > left + width) continue;
    const wide = Math.max(b - a, 2 * devicePixelRatio); // a short one is seen, too
    ctx.fillStyle = pale(colour, 0.1);
    ctx.fillRect(a, top, wide, height);
    ctx.fillStyle = colour;
    ctx.fillRect(a, top, wide, BAR * devicePixelRatio);
  }
  ctx.restore();
}

/** @param {Plot} plot @param {readonly number[]} values @param {string} colour */
export function thresholds({ ctx, bbox, valToPos }, values, colour) {
  const { left, top, width, height } = bbox;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  for (const value of values) {
    const y = valToPos(value, "y", true);
    if (y < top || y > top + height) continue;
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
  }
  ctx.stroke();
  ctx.restore();
}

/**
 * Draw the last point of each line, and the points that have no neighbour: a line through one point is not seen.
 * @param {Plot} plot
 * @param {number} lines
 * @param {import("./data-fold.js").Data} data
 */
export function dotsOf(plot, lines, data) {
  const { ctx, bbox, valToPos } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 4, bbox.top - 4, bbox.width + 8, bbox.height + 8);
  ctx.clip();
  let place = 1;
  for (let line = 0; line < lines; line += 1) {
    const { values = [], low = null } = data.lines[line] ?? {};
    const series = plot.series[place];
    place += low ? 3 : 1;
    if (!series?.show) continue;
    const last = values.findLastIndex((value) => typeof value === "number");
    const stroke = series.stroke;
    ctx.fillStyle = /** @type {string} */ (typeof stroke === "function" ? stroke(plot, place) : stroke);
    for (let n = 0; n < values.length; n += 1) {
      const value = values[n];
      if (typeof value !== "number" || (n !== last && !isAlone(values, n))) continue;
      const size = (n === last ? 3.5 : 2) * devicePixelRatio;
      ctx.beginPath();
      ctx.arc(valToPos(data.times[n], "x", true), valToPos(value, "y", true), size, 0, 2 * Math.PI);
      ctx.fill();
    }
  }
  ctx.restore();
}

/** Check if a point has no other on either side before the next gap. @param {readonly (number | null | undefined)[]} values @param {number} n */
function isAlone(values, n) {
  let [before, after] = [n - 1, n + 1];
  while (values[before] === undefined && before >= 0) before -= 1;
  while (values[after] === undefined && after < values.length) after += 1;
  return typeof values[before] !== "number" && typeof values[after] !== "number";
}
