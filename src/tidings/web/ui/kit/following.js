import { useLayoutEffect, useRef } from "preact/hooks";

/** Pixels above the end that still count as the end. */
const NEAR = 8;

/** @param {HTMLElement | null} box */
export function toEnd(box) {
  if (box) box.scrollTop = box.scrollHeight;
}

/** @param {HTMLElement | null} box */
export const isAtEnd = (box) => box !== null && box.scrollHeight - box.clientHeight - box.scrollTop <= NEAR;

/**
 * Keep the end of a log in view until the reader scrolls up.
 * @param {import("preact").RefObject<HTMLElement | null>} box
 * @param {import("preact").RefObject<HTMLElement | null>} content
 * @param {import("@preact/signals").Signal<boolean>} away the reader has scrolled up
 * @param {string | null} of names the log: another log begins at its end
 * @param {() => boolean} [whole] the end is drawn
 */
export function useFollowing(box, content, away, of, whole = () => true) {
  const isWhole = useRef(whole);
  isWhole.current = whole;
  useLayoutEffect(() => {
    const frame = box.current;
    if (!frame || !content.current) return;
    away.value = false;
    let last = 0; // a new log is at 0; reading it would force a layout before the first paint
    const scrolled = () => {
      if (isAtEnd(frame) && isWhole.current()) away.value = false;
      else if (frame.scrollTop < last - 1) away.value = true;
      last = frame.scrollTop;
    };
    // Sizes change with growing text, a banner, the composer and the keyboard of a phone.
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
