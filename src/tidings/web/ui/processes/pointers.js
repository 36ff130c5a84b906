import { useRef } from "preact/hooks";
import { move, zoom } from "./view-state.js";

/** Pixels that a pointer may move for a click. */
const STILL = 4;

/**
 * Move the map by a pointer, and scale it by two fingers.
 * @param {import("preact").RefObject<SVGElement | null>} root
 */
export function usePointers(root) {
  const down = useRef(/** @type {Map<number, {x: number, y: number}>} */ (new Map()));
  const moved = useRef(0);
  const begin = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    if (down.current.size === 0) moved.current = 0;
    down.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  const go = (/** @type {PointerEvent} */ event) => {
    const before = down.current.get(event.pointerId);
    if (!before) return;
    if (event.buttons === 0) return end(event); // it was let go outside of the page
    const now = { x: event.clientX, y: event.clientY };
    const other = [...down.current].find(([id]) => id !== event.pointerId)?.[1];
    moved.current = Math.max(moved.current, Math.hypot(now.x - before.x, now.y - before.y));
    if (moved.current < STILL) return;
    // From here on the pointer is this map's, also outside of it. Before, a capture would take the click away.
    root.current?.setPointerCapture(event.pointerId);
    down.current.set(event.pointerId, now);
    if (!other) return move(now.x - before.x, now.y - before.y);
    const { left, top } = /** @type {Element} */ (root.current).getBoundingClientRect();
    const apart = (/** @type {{x: number, y: number}} */ at) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
    zoom(apart(now) / apart(before), (now.x + other.x) / 2 - left, (now.y + other.y) / 2 - top);
    move((now.x - before.x) / 2, (now.y - before.y) / 2);
  };
  const end = (/** @type {PointerEvent} */ { pointerId }) => {
    down.current.delete(pointerId);
    // After the click. One that comes without a pointer, such as a screen reader's, is always a click.
    setTimeout(() => down.current.size === 0 && (moved.current = 0));
  };
  /** Keep the browser from selecting the texts over which the map is moved. */
  const press = (/** @type {MouseEvent} */ event) => event.preventDefault();
  return {
    /** Check if the pointer has stood still since it was pressed. */
    clicked: () => moved.current < STILL,
    handlers: { onMouseDown: press, onPointerDown: begin, onPointerMove: go, onPointerUp: end, onPointerCancel: end },
  };
}
