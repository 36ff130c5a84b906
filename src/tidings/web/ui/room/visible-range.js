import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { toEnd } from "../kit/following.js";
import { isRead } from "../log/offset-fold.js";
import { session } from "../session/state.js";
import { newsFrom } from "./rows-fold.js";
import { around, downwards, first, afterGrowth, upwards } from "./visible-range-fold.js";

/** @typedef {import("./state.js").Room} Room */
/** @typedef {import("./visible-range-fold.js").Range} Range */
/** @typedef {import("./fold.js").Item} Item */
/** @typedef {import("preact").RefObject<HTMLElement | null>} Ref */
/** @typedef {import("@preact/signals").Signal<boolean>} Away the reader has scrolled up */

/** Pixels before either end of the drawn range at which the range moves. */
const EARLY = 800;

/** Pixels of the lowest message. At first only one screen of messages is drawn: a whole page takes three times as long. */
const LOW = 28;

/** Milliseconds after which more is drawn above the first screen. */
const LATER = 150;

/**
 * The drawn range of a room's items. It follows the end. When the reader scrolls it moves along, and earlier pages are
 * read as long as there are any.
 *
 * @param {Room} room
 * @param {Ref} box the scrolling element
 * @param {Ref} content the element with the rows
 * @param {Away} away
 */
export function useVisibleRange(room, box, content, away) {
  const [turns, turn] = useState(0);
  const [settled, settle] = useState("");
  const now = useRef({ coming: "", range: /** @type {Range} */ ({ from: 0, to: Infinity }) });
  const items = room.items.value;
  const held = logOf(room);
  const line = useFirstNew(room, items);
  const coming = `${room.visits.value} ${room.begun}`;
  const is = now.current;
  if (is.coming !== coming) {
    is.coming = coming;
    is.range = first(held, line && items.indexOf(line) - room.above);
  } else is.range = afterGrowth(is.range, held, away.value);
  const { from, to } = is.range;
  const whole = settled === coming;
  const show = (/** @type {Range} */ range) => ((is.range = range), turn((n) => n + 1));

  useSteadyView(box, content, away, coming, is.range);
  useEffect(() => {
    if (room.status.value !== "ready") return;
    let next = 0;
    const later = setTimeout(() => {
      if (is.range.to === Infinity && !away.value) show(upwards(is.range, logOf(room)));
      next = requestAnimationFrame(() => settle(coming));
    }, LATER);
    return () => (clearTimeout(later), cancelAnimationFrame(next));
  }, [room.status.value, coming]);
  const more = room.earlier.value === "some";
  useEffect(() => {
    const frame = box.current;
    if (!frame || !whole) return;
    const look = () => {
      if (frame.clientHeight === 0) return; // a hidden log has no scroll position
      const held = logOf(room);
      const left = frame.scrollHeight - frame.clientHeight - frame.scrollTop;
      if (frame.scrollTop < EARLY && is.range.from > held.start) show(upwards(is.range, held));
      else if (frame.scrollTop < EARLY && room.earlier.value === "some") void room.before();
      else if (is.range.to !== Infinity && left < EARLY) show(downwards(is.range, held));
    };
    look();
    frame.addEventListener("scroll", look, { passive: true });
    return () => frame.removeEventListener("scroll", look);
  }, [whole, more, items, away.value, turns]);

  const at = Math.max(0, from - held.start);
  return {
    items: items.slice(at, to - held.start),
    before: items[at - 1] ?? null,
    line,
    /** The first screens are drawn. A screen reader reads out items that are drawn from now on. */
    settled: whole,
    /** The end of the log is drawn. */
    end: to === Infinity,
    top: from <= held.start && room.earlier.value === "none",
    /** Draw the range around an item. @param {number} place */
    goTo: (place) => show(around(logOf(room), place - room.above)),
    /** Draw more items above (-1) or below (1). @param {number} step @returns {boolean} false: there are none */
    extend: (step) => {
      const held = logOf(room);
      if (step < 0 ? is.range.from <= held.start : is.range.to === Infinity) return false;
      show(step < 0 ? upwards(is.range, held) : downwards(is.range, held));
      return true;
    },
    goToEnd: () => show(first(logOf(room))),
  };
}

/** @param {Room} room @returns {import("./visible-range-fold.js").Log} */
function logOf({ items, above }) {
  return { start: -above, end: items.value.length - above, screen: Math.ceil(innerHeight / LOW) };
}

/**
 * The first new item. It is known when the item before it was read too.
 * @param {Room} room
 * @param {readonly Item[]} items
 * @returns {Item | null}
 */
function useFirstNew(room, items) {
  const since = room.since.value;
  const known = room.earlier.value === "none" || (items.length > 0 && isRead(since, items[0].offset));
  return known ? (items[newsFrom(items, since, session.value?.name ?? null)] ?? null) : null;
}

/**
 * Keep the items that the reader looks at in place while items above them are drawn or removed.
 * @param {Ref} box
 * @param {Ref} content
 * @param {Away} away
 * @param {string} coming
 * @param {Range} range
 */
function useSteadyView(box, content, away, coming, { from }) {
  const held = useRef({ coming: "", from: 0, at: /** @type {Element | null} */ (null), top: 0, moved: false });
  if (held.current.coming !== coming) held.current = { coming, from, at: null, top: 0, moved: false };
  else if (held.current.from !== from) {
    const top = box.current?.getBoundingClientRect().top ?? 0;
    const shown = [...(content.current?.querySelectorAll("[data-offset], .happened") ?? [])];
    const at = shown.find((one) => one.getBoundingClientRect().bottom > top) ?? null;
    held.current = { coming, from, at, top: at?.getBoundingClientRect().top ?? 0, moved: true };
  }
  useLayoutEffect(() => {
    const { at, top, moved } = held.current;
    // At arrival `useFollowing` scrolls to the end.
    if (!moved) return;
    if (!away.value) toEnd(box.current);
    else if (at?.isConnected && box.current) box.current.scrollTop += at.getBoundingClientRect().top - top;
  }, [from]);
}
