import { isRead } from "../log/offset-fold.js";
import { authorOf } from "./fold.js";

/** A room's items as rows, with days and the line above the first new item. Pure. */

/** @typedef {import("./fold.js").Item} Item */
/**
 * @typedef {{kind: "day", key: string, time: number}
 *   | {kind: "since", key: "since"}
 *   | {kind: "item", key: string, item: Item, continued: boolean}} Row `continued`: by the same person, soon after the item before
 */

/** Seconds within which a person's next message continues the one before. */
const PAUSE = 300;

/**
 * @param {readonly Item[]} items
 * @param {object} how
 * @param {Item | null} [how.before] the item above them
 * @param {Item | null} [how.line] the first new item, below the line
 * @param {(time: number) => string} how.dayOf gives the same text for two times of one day
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
 * Find the first new item. The person's own messages are never new.
 * @param {readonly Item[]} items
 * @param {string | null} since the read marker; null when everything was read
 * @param {string | null} me
 * @returns {number} its index; -1 when nothing is new
 */
export function newsFrom(items, since, me) {
  let first = -1;
  if (since === null) return first;
  for (let at = items.length - 1; at >= 0 && !isRead(since, items[at].offset); at--)
    if (items[at].kind !== "notice" && authorOf(items[at]) !== me) first = at;
  return first;
}
