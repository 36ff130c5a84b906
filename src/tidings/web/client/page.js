/**
 * Watch the life of a page. Outside of a page, as in a worker or Node, nothing is called.
 *
 * @param {object} to
 * @param {() => void} to.sleep the page is frozen, or goes into the back/forward cache
 * @param {() => void} to.wake the page comes back from either
 * @param {(visible: boolean) => void} to.seen the page is shown or hidden
 * @param {() => void} to.online the device has a network again
 * @param {AbortSignal} signal ends the watch
 */
export function watchPage({ sleep, wake, seen, online }, signal) {
  if (!("document" in globalThis)) return;
  addEventListener("pagehide", sleep, { signal });
  document.addEventListener("freeze", sleep, { signal });
  addEventListener("pageshow", ({ persisted }) => persisted && wake(), { signal });
  document.addEventListener("resume", wake, { signal });
  document.addEventListener("visibilitychange", () => seen(!document.hidden), { signal });
  addEventListener("online", online, { signal });
}
