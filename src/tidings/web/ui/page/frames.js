/** @type {Set<() => void>} */
let due = new Set();
let scheduled = false;

/**
 * Call `paint` once before the next paint, however often it is asked for: a thousand tokens are one update.
 * A hidden tab paints nothing, but its state still moves, four times a second.
 *
 * @param {() => void} paint
 */
export function soon(paint) {
  due.add(paint);
  if (scheduled) return;
  scheduled = true;
  const timer = setTimeout(run, 250);
  const frame = requestAnimationFrame(run);
  function run() {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    scheduled = false;
    const paints = due;
    due = new Set();
    for (const paint of paints) paint();
  }
}
