/** The part of the map that the frame shows: where it is moved to, and how large it is drawn. */
import { computed, signal } from "@preact/signals";

/** The smallest and the largest scale. */
const LEAST = 0.05;
const MOST = 3;

/**
 * Pixels that stay free around a map that is fitted: for the controls above it, of which a narrow frame has two rows, and
 * for the legend.
 * @param {Size} frame
 */
function free({ width }) {
  if (width < 760) return { top: 148, bottom: 76, left: 16, right: 16 };
  return { top: 64, bottom: 24, left: width < 900 ? 24 : 268, right: 24 };
}

/** @type {import("@preact/signals").Signal<{x: number, y: number, scale: number}>} */
export const view = signal({ x: 0, y: 0, scale: 1 });

/** The same as an attribute. It changes with each frame while the map is moved, without drawing the map again. */
export const transform = computed(() => `translate(${view.value.x} ${view.value.y}) scale(${view.value.scale})`);

/** The person has moved or scaled the map, so that it is not fitted any more by itself. */
let own = false;

/** @typedef {{width: number, height: number}} Size */

/**
 * Show all of the map, not larger than it is.
 * @param {import("./layout-fold.js").Box} box
 * @param {Size} frame
 * @param {boolean} asked by the person
 */
export function fit(box, frame, asked) {
  if ((own && !asked) || frame.width === 0) return;
  own = false;
  const { top, bottom, left, right } = free(frame);
  const [width, height] = [frame.width - left - right, frame.height - top - bottom];
  const scale = Math.max(LEAST, Math.min(1, width / box.width, height / box.height));
  view.value = {
    x: left + (width - box.width * scale) / 2 - box.left * scale,
    y: top + Math.max(0, (height - box.height * scale) / 2) - box.top * scale,
    scale,
  };
}

/** Forget how the map was moved, since another is opened. */
export const forgetView = () => void (own = false);

/** @param {number} dx @param {number} dy */
export function move(dx, dy) {
  own = true;
  view.value = { ...view.value, x: view.value.x + dx, y: view.value.y + dy };
}

/** Scale the map around a point of the frame. @param {number} factor @param {number} x @param {number} y */
export function zoom(factor, x, y) {
  own = true;
  const scale = Math.max(LEAST, Math.min(MOST, view.value.scale * factor));
  const by = scale / view.value.scale;
  view.value = { x: x - (x - view.value.x) * by, y: y - (y - view.value.y) * by, scale };
}

/** Bring a place of the map into view. @param {readonly number[]} place @param {Size} frame */
export function bring([x, y], frame) {
  const { width, height } = frame;
  const { top: above } = free(frame);
  const { scale, x: left, y: top } = view.value;
  const [at, below] = [left + x * scale, top + y * scale];
  const dx = at < 100 ? 100 - at : at > width - 100 ? width - 100 - at : 0;
  const dy = below < above + 26 ? above + 26 - below : below > height - 40 ? height - 40 - below : 0;
  if (dx !== 0 || dy !== 0) move(dx, dy);
}
