import { useLayoutEffect, useRef } from "preact/hooks";

/** Pixels from the end that still count as the end. */
const NEAR = 8;

/** @param {HTMLElement | null} box */
export function toEnd(box) {
  if (box) box.scrollTop = box.scrollHeight;
}

/** @param {HTMLElement | null} box */
export const isAtEnd = (box) => box !== null && box.scrollHeight - box.clientHeight - box.scrollTop <= NEAR;

/**
 * @param {import("preact").RefObject<HTMLElement | null>} box
 * @param {import("preact").RefObject<HTMLElement | null>} content
 * @param {import("@preact/signals").Signal<boolean>} away whether one has scrolled up
 * @param {string | null} of what is shown: another one begins at its end
 * @param {() => boolean} [whole] whether the end is drawn
 */
export function useFollowing(box, content, away, of, whole = () => true) {
  const isWhole = useRef(whole);
  isWhole.current = whole;
  useLayoutEffect(() => {
    const frame = box.current;
    if (!frame || !content.current) return;
    away.value = false;
    let last = 0; // it is new: to ask would lay it out before its first paint
    const scrolled = () => {
      if (isAtEnd(frame) && isWhole.current()) away.value = false;
      else if (frame.scrollTop < last - 1) away.value = true;
      last = frame.scrollTop;
    };
    // Growing text, a banner, the composer, the keyboard of a phone: whatever changes a size, the end stays in view.
    const sizes = new ResizeObserver(() => {
      if (!away.value) toEnd(frame);
    });
    sizes.observe(frame);
    sizes.observe(content.current);
    frame.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      sizes.disconnect();
      frame.removeEventListener("scroll", scrolled);
    };
  }, [of]);
}
