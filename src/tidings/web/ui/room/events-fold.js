import { isRead } from "../log/offset-fold.js";

/**
 * The number of messages of others after an offset.
 * @param {readonly import("../../client/index.js").Event[]} events of a room, in their order
 * @param {string} read the offset
 * @param {string} me
 */
export function newsSince(events, read, me) {
  let news = 0;
  for (let at = events.length - 1; at >= 0; at--) {
    const { offset, type, data } = events[at];
    if (isRead(read, /** @type {string} */ (offset))) break;
    if ((type === "message.posted" && data?.by !== me) || type === "answer.posted") news += 1;
  }
  return news;
}

/** The offset before an event's. @param {{offset: string | null}} event */
export const before = ({ offset }) => offset?.replace(/\d+$/, (n) => String(Number(n) - 1)) ?? "";
