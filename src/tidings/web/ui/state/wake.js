/** Milliseconds between two looks at the clock, and by how much more one must have slept to be told. */
const LOOK = 10_000;
const SLEPT = 60_000;

/**
 * Tell when the page has slept: it was frozen, or came back from the back/forward cache, or the whole machine slept,
 * which no event tells of. What went on meanwhile is better read anew than replayed.
 * @param {() => void} woken
 */
export function onWake(woken) {
  document.addEventListener("resume", woken);
  addEventListener("pageshow", ({ persisted }) => persisted && woken());
  let looked = Date.now();
  setInterval(() => {
    const slept = Date.now() - looked > LOOK + SLEPT;
    looked = Date.now();
    if (slept && !document.hidden) woken(); // a hidden tab's timers may be slowed to one a minute
  }, LOOK);
}
