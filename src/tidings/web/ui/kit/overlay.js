import { useEffect } from "preact/hooks";

/**
 * Give an overlay the focus while it is open, and return the focus afterwards. Esc closes the overlay.
 * @param {import("preact").RefObject<HTMLElement | null>} root
 * @param {boolean} open
 * @param {() => void} close
 */
export function useOverlay(root, open, close) {
  useEffect(() => {
    const box = root.current;
    if (!open || !box) return;
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    if (!box.contains(before)) /** @type {HTMLElement | null} */ (box.querySelector(".icon-button"))?.focus();
    const keys = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close();
    box.addEventListener("keydown", keys);
    return () => {
      box.removeEventListener("keydown", keys);
      if (before?.isConnected) before.focus();
    };
  }, [open]);
}
