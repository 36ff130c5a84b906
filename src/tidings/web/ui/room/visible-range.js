import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { toEnd } from "../kit/following.js";
import { isRead } from "../log/offset-fold.js";
import { session } from "../session/state.js";
import { newsFrom } from "./rows-fold.js";
import { around, downwards, first, grown, upwards } from "./visible-range-fold.js";

/** @typedef {import("./state.js").Room} Room */
/** @typedef {import("./visible-range-fold.js").Part} Part */
/** @typedef {import("./fold.js").Item} Item */
/** @typedef {import("preact").RefObject<HTMLElement | null>} Ref */
/** @typedef {import("@preact/signals").Signal<boolean>} Away whether one has scrolled up */

/** Pixels from either end at which one moves on: before one gets there. */
const EARLY = 800;

/** Pixels of the lowest message: no more of them than a screen shows are drawn first. A whole page takes three times as long. */
const LOW = 28;

/** Milliseconds after which more is drawn, which is above what one looks at. */
const LATER = 150;

/**
 * The part of a room's items that is drawn. It follows the end, and where one has scrolled up it goes along, backwards
 * as long as there is more.
 *
 * @param {Room} room
 * @param {Ref} box what scrolls
 * @param {Ref} content its rows
 * @param {Away} away
 */
export function useDrawn(room, box, content, away) {
  const [turns, turn] = useState(0);
  const [settled, settle] = useState("");
  const now = useRef({ coming: "", part: /** @type {Part} */ ({ from: 0, to: Infinity }) });
  const items = room.items.value;
  const held = heldOf(room);
  const line = useLine(room, items);
  const coming = `${room.visits.value} ${room.begun}`;
  const is = now.current;
  if (is.coming !== coming) {
    is.coming = coming;
    is.part = first(held, line && items.indexOf(line) - room.above);
  } else is.part = grown(is.part, held, away.value);
  const { from, to } = is.part;
  const whole = settled === coming;
  const show = (/** @type {Part} */ part) => ((is.part = part), turn((n) => n + 1));

  usePlace(box, content, away, coming, is.part);
  useEffect(() => {
    if (room.status.value !== "ready") return;
    let next = 0;
    const later = setTimeout(() => {
      if (is.part.to === Infinity && !away.value) show(upwards(is.part, heldOf(room)));
      next = requestAnimationFrame(() => settle(coming));
    }, LATER);
    return () => (clearTimeout(later), cancelAnimationFrame(next));
  }, [room.status.value, coming]);
  const more = room.earlier.value === "some";
  useEffect(() => {
    const frame = box.current;
    if (!frame || !whole) return;
    const look = () => {
      if (frame.clientHeight === 0) return; // nobody sees it, and nothing says where one is
      const held = heldOf(room);
      const left = frame.scrollHeight - frame.clientHeight - frame.scrollTop;
      if (frame.scrollTop < EARLY && is.part.from > held.start) show(upwards(is.part, held));
      else if (frame.scrollTop < EARLY && room.earlier.value === "some") void room.before();
      else if (is.part.to !== Infinity && left < EARLY) show(downwards(is.part, held));
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
    /** Whether what one comes to is drawn, so that what is drawn from now on is news to who listens. */
    settled: whole,
    /** Whether the end is among them. */
    end: to === Infinity,
    top: from <= held.start && room.earlier.value === "none",
    /** Draw what is around an item. @param {number} place */
    goTo: (place) => show(around(heldOf(room), place - room.above)),
    goToEnd: () => show(first(heldOf(room))),
  };
}

/** @param {Room} room @returns {import("./visible-range-fold.js").Held} */
function heldOf({ items, above }) {
  return { start: -above, end: items.value.length - above, screen: Math.ceil(innerHeight / LOW) };
}

/**
 * The first item that is new. It is known once it is known what stands above it.
 * @param {Room} room
 * @param {readonly Item[]} items
 * @returns {Item | null}
 */
function useLine(room, items) {
  const since = room.since.value;
  const known = room.earlier.value === "none" || (items.length > 0 && isRead(since, items[0].offset));
  return known ? (items[newsFrom(items, since, session.value?.name ?? null)] ?? null) : null;
}

/**
 * What one looks at stays where it is while something comes or goes above it.
 * @param {Ref} box
 * @param {Ref} content
 * @param {Away} away
 * @param {string} coming
 * @param {Part} part
 */
function usePlace(box, content, away, coming, { from }) {
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
    // What comes first is brought to its end with its first layout, by `useFollowing`.
    if (!moved) return;
    if (!away.value) toEnd(box.current);
    else if (at?.isConnected && box.current) box.current.scrollTop += at.getBoundingClientRect().top - top;
  }, [from]);
}
