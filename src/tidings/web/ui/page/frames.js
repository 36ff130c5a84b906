/** @type {Set<() => void>} */
let due = new Set();
let scheduled = false;

/**
 * Call `paint` before the next frame, once for any number of requests, so that a thousand tokens are one update. In a
 * hidden tab, which has no frames, it is called four times a second.
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
