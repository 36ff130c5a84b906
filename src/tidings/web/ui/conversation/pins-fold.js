/** The fold of the topics that a person has pinned to the side bar, from `users.SLUG.conversations`. Pure. */

/** @typedef {readonly string[]} Pins topics of rooms and conversations, in the order of pinning */

/** @type {Pins} */
export const none = [];

/**
 * @param {Pins} pins
 * @param {import("../../client/index.js").Event} event
 * @returns {Pins}
 */
export function fold(pins, { type, data }) {
  const topic = type === "conversation.deleted" ? `conversations.${data?.id}` : data?.topic;
  if (typeof topic !== "string") return pins;
  switch (type) {
    case "topic.pinned":
      return pins.includes(topic) ? pins : [...pins, topic];
    case "topic.unpinned":
    case "conversation.deleted":
      return pins.includes(topic) ? pins.filter((pin) => pin !== topic) : pins;
    default:
      return pins;
  }
}
