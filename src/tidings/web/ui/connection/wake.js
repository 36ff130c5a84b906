import { tidings } from "./state.js";

/** Milliseconds between two looks at the clock. Browsers may stretch this to a minute in a hidden tab. */
const LOOK = 10_000;
/** Milliseconds between two looks from which on the page has slept. */
const SLEPT = 5 * 60_000;

/**
 * Call `woken` after the page has slept: it was frozen, it came back from the back/forward cache, or the machine slept,
 * for which there is no event. After a sleep it is faster to read the present state than to replay everything.
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
  tidings.addEventListener("connection", look); // after a sleep the connection is broken; look before it replays
}
