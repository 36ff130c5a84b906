import { isRead } from "../log/offset-fold.js";
import { authorOf } from "./fold.js";

/** A room's items as they are drawn: days, the line above what is new, and who goes on speaking. Pure. */

/** @typedef {import("./fold.js").Item} Item */
/**
 * @typedef {{kind: "day", key: string, time: number}
 *   | {kind: "since", key: "since"}
 *   | {kind: "item", key: string, item: Item, continued: boolean}} Row `continued`: the same person, soon after
 */

/** Seconds in which someone goes on speaking. */
const PAUSE = 300;

/**
 * @param {readonly Item[]} items
 * @param {object} how
 * @param {Item | null} [how.before] what stands above them
 * @param {Item | null} [how.line] the first one that is new: the line stands above it
 * @param {(time: number) => string} how.dayOf the same for two times of one day
 * @returns {Row[]}
 */
export function rows(items, { before = null, line = null, dayOf }) {
  /** @type {Row[]} */
  const all = [];
  let day = before && dayOf(before.time);
  for (const item of items) {
    if (day !== dayOf(item.time)) {
      day = dayOf(item.time);
      all.push({ kind: "day", key: `day-${day}`, time: item.time });
      before = null;
    }
    if (item === line) {
      all.push({ kind: "since", key: "since" });
      before = null;
    }
    all.push({ kind: "item", key: item.key, item, continued: continues(before, item) });
    before = item;
  }
  return all;
}

/** @param {Item | null} before @param {Item} item */
function continues(before, item) {
  if (before?.kind !== "message" || item.kind !== "message" || item.quote) return false;
  return before.by === item.by && item.time - before.time < PAUSE;
}

/**
 * Where the news begins. One's own messages are none.
 * @param {readonly Item[]} items
 * @param {string | null} since the last offset that was read before; null: there is no news
 * @param {string | null} me
 * @returns {number} the place of the first new item; -1: there is none
 */
export function newsFrom(items, since, me) {
  let first = -1;
  if (since === null) return first;
  for (let at = items.length - 1; at >= 0 && !isRead(since, items[at].offset); at--)
    if (items[at].kind !== "notice" && authorOf(items[at]) !== me) first = at;
  return first;
}
