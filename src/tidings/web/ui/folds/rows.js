/** A room's items as they are drawn: days, the line above what is new, and who goes on speaking. Pure. */
import { authorOf } from "./room.js";

/** @typedef {import("./room.js").Item} Item */
/**
 * @typedef {{kind: "day", key: string, time: number}
 *   | {kind: "since", key: "since", offset: string}
 *   | {kind: "item", key: string, item: Item, continued: boolean}} Row `continued`: the same person, soon after
 */

/** Seconds in which someone goes on speaking. */
const PAUSE = 300;

/**
 * @param {readonly Item[]} items
 * @param {object} how
 * @param {string | null} [how.since] the last offset that was read before; null: no line
 * @param {string | null} [how.me] whose own messages are not news
 * @param {(offset: string) => boolean} [how.isNew] whether an offset is after `since`
 * @param {(time: number) => string} how.dayOf the same for two times of one day
 * @returns {Row[]}
 */
export function rows(items, { since = null, me = null, isNew = () => false, dayOf }) {
  /** @type {Row[]} */
  const all = [];
  let day = "";
  let lined = since === null;
  /** @type {Item | null} */
  let before = null;
  for (const item of items) {
    if (day !== dayOf(item.time)) {
      day = dayOf(item.time);
      all.push({ kind: "day", key: `day-${day}`, time: item.time });
      before = null;
    }
    if (!lined && item.kind !== "notice" && authorOf(item) !== me && isNew(item.offset)) {
      lined = true;
      all.push({ kind: "since", key: "since", offset: /** @type {string} */ (since) });
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
