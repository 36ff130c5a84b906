import { compact } from "../page/layout.js";

/** What the keyboard may stand on. */
const STOPS = "a[href], button:not(:disabled), input, select, textarea, [tabindex]";

/** What belongs together: in these a place is looked for, beside the one that was lost. */
const UNITS = "article, li, form, .menu, .toasts, [tabindex]";

/** Elements that had the focus, the last one first, each with those around it: what was removed knows them no more. */
/** @type {HTMLElement[][]} */
let had = [];

/** As many are remembered. */
const MOST = 5;

/**
 * Whoever uses the keyboard is never without a place: what is removed while it has the focus gives it to what is left
 * beside it, else to what had it before, else to the composer.
 */
export function keepFocus() {
  const seen = (/** @type {FocusEvent} */ event) => {
    const path = /** @type {HTMLElement[]} */ (event.composedPath().filter((one) => one instanceof HTMLElement));
    had = [path, ...had.filter(([one]) => one !== path[0])].slice(0, MOST);
  };
  const lost = () => document.activeElement === document.body && had.length > 0 && !had[0][0].isConnected;
  // In the frame after: whoever removes it may have given the focus to something else by then.
  const look = () => lost() && requestAnimationFrame(() => requestAnimationFrame(() => lost() && restore()));
  const removed = new MutationObserver(look);
  document.addEventListener("focusin", seen);
  removed.observe(document.body, { childList: true, subtree: true });
  return () => {
    document.removeEventListener("focusin", seen);
    removed.disconnect();
  };
}

function restore() {
  for (const one of had.flat()) {
    const stop =
      one.isConnected && one.matches(`${UNITS}, ${STOPS}`) && [one, ...one.querySelectorAll(STOPS)].find(takes);
    if (stop) return /** @type {HTMLElement} */ (stop).focus({ preventScroll: true });
  }
  const last = document.querySelector("#composer, .bell");
  if (last && takes(last)) /** @type {HTMLElement} */ (last).focus({ preventScroll: true });
}

/** Whether it can have the focus. On a phone a field would bring up the keyboard. @param {Element} one */
const takes = (one) =>
  one.matches(STOPS) &&
  !one.closest("[inert]") &&
  one.checkVisibility() &&
  !(compact.value && one.matches("input, textarea"));
