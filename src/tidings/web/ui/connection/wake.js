import { tidings } from "./state.js";

/** Milliseconds between two looks at the clock, which in a hidden tab may become a minute; and from when on one slept. */
const LOOK = 10_000;
const SLEPT = 5 * 60_000;

/**
 * Tell when the page has slept: it was frozen, or came back from the back/forward cache, or the whole machine slept,
 * which no event tells of. What went on meanwhile is better read anew than replayed.
 * @param {() => void} woken
 */
export function onWake(woken) {
  document.addEventListener("resume", woken);
  addEventListener("pageshow", ({ persisted }) => persisted && woken());
  let looked = Date.now();
  const look = () => {
    const slept = Date.now() - looked > SLEPT;
    looked = Date.now();
    if (slept) woken();
  };
  setInterval(look, LOOK);
  tidings.addEventListener("connection", look); // a machine wakes to a broken one: before it is mended, and replays
}
