import { useEffect } from "preact/hooks";

/**
 * What lies over the page for a while has the focus, gives it back, and is closed by Esc.
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
