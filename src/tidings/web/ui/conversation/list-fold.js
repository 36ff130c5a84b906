/** The fold of a person's list of conversations, `users.SLUG.conversations`. Pure. */

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {string} title
 * @property {number} created Unix seconds
 */

/** @typedef {readonly Item[]} Conversations newest first */

/** @type {Conversations} */
export const none = [];

/**
 * @param {Conversations} items
 * @param {import("../../client/index.js").Event} event
 * @returns {Conversations}
 */
export function fold(items, { type, time, data }) {
  if (typeof data?.id !== "string") return items;
  const { id } = data;
  const title = typeof data.title === "string" && data.title.trim() ? data.title : "Untitled";
  switch (type) {
    case "conversation.created":
      return items.some((item) => item.id === id) ? items : [{ id, title, created: time }, ...items];
    case "conversation.renamed":
      return items.map((item) => (item.id === id ? { ...item, title } : item));
    case "conversation.deleted":
      return items.filter((item) => item.id !== id);
    default:
      return items;
  }
}
