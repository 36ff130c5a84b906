import { compact } from "../page/layout.js";

/** Elements that can have the focus. */
const STOPS = "a[href], button:not(:disabled), input, select, textarea, [tabindex]";

/** Elements around a lost one in which another element is looked for. */
const UNITS = "article, li, form, .menu, .toasts, [tabindex]";

/** Elements that had the focus, the last one first, each with its ancestors: a removed element has none any more. */
/** @type {HTMLElement[][]} */
let had = [];

/** The number of elements that are remembered. */
const MOST = 5;

/**
 * Keep the focus on the page. When the focused element is removed, the focus goes to an element beside it, else to an
 * element that had the focus before, else to the composer.
 */
export function keepFocus() {
  const seen = (/** @type {FocusEvent} */ event) => {
    const path = /** @type {HTMLElement[]} */ (event.composedPath().filter((one) => one instanceof HTMLElement));
    had = [path, ...had.filter(([one]) => one !== path[0])].slice(0, MOST);
  };
  const lost = () => document.activeElement === document.body && had.length > 0 && !had[0][0].isConnected;
  // Look after the next frame, because the code that removed the element may focus another one.
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

/** Check if an element can take the focus. On a phone a text field would open the keyboard. @param {Element} one */
const takes = (one) =>
  one.matches(STOPS) &&
  !one.closest("[inert]") &&
  one.getClientRects().length > 0 &&
  !(compact.value && one.matches("input, textarea"));
