import { useLayoutEffect } from "preact/hooks";
import { dialog } from "../page/layout.js";

/**
 * Give an overlay the focus while it is open, and return the focus afterwards. Esc closes the overlay, also when a click
 * on its ground has taken the focus from everything.
 * @param {import("preact").RefObject<HTMLElement | null>} root
 * @param {boolean} open
 * @param {() => void} close
 */
export function useOverlay(root, open, close) {
  // A layout effect, because the page behind becomes inert and loses the focus with the next paint.
  useLayoutEffect(() => {
    const box = root.current;
    if (!open || !box) return;
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    let frame = 0;
    const take = () => {
      if (box.contains(document.activeElement) || dialog.value) return;
      /** @type {HTMLElement | null} */ (box.querySelector(".icon-button"))?.focus();
      // An element that a transition still hides takes no focus.
      if (!box.contains(document.activeElement)) frame = requestAnimationFrame(take);
    };
    take();
    const keys = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !dialog.value) close();
    };
    document.addEventListener("keydown", keys);
    return () => {
      cancelAnimationFrame(frame);
      document.removeEventListener("keydown", keys);
      const now = document.activeElement;
      if (now !== document.body && !box.contains(now)) return;
      // Safari gives a button that is clicked no focus, so there may be none to return to.
      const back = before?.isConnected && before !== document.body ? before : null;
      (back ?? /** @type {HTMLElement | null} */ (document.querySelector(".page-header button")))?.focus();
    };
  }, [open]);
}
