/** The folds of presence and typing, which are transient events and expire by themselves. Pure. */

/** Seconds without a sign of life after which a server process counts as gone, with the people connected to it. */
export const GONE = 12;
/** Seconds for which a person counts as typing after each event. */
export const TYPING = 5;

/**
 * The people connected to each process, and the time of its last sign of life.
 * @typedef {Readonly<Record<string, {at: number, here: Readonly<Record<string, number>>}>>} Presence
 */
/** The time until which a person counts as typing, in Unix seconds. @typedef {Readonly<Record<string, number>>} Typing */

/** @type {Presence} */
export const nobody = {};
/** @type {Typing} */
export const quiet = {};

/**
 * @param {Presence} presence
 * @param {import("../../client/index.js").Event} event
 * @param {number} now the time of receipt, in Unix seconds of this device's clock
 * @returns {Presence}
 */
export function fold(presence, { type, data }, now) {
  if (type !== "presence" || typeof data?.process !== "string" || !data.here) return presence;
  return { ...presence, [data.process]: { at: now, here: data.here } };
}

/** The number of connections of each person who is present. @param {Presence} presence @param {number} now @returns {Map<string, number>} */
export function here(presence, now) {
  const all = new Map();
  for (const { at, here } of Object.values(presence)) {
    if (now - at > GONE) continue;
    for (const [name, count] of Object.entries(here)) if (count > 0) all.set(name, (all.get(name) ?? 0) + count);
  }
  return all;
}

/**
 * Fold one event. Typing ends after a while, and at once with the posted message.
 * @param {Typing} typing
 * @param {import("../../client/index.js").Event} event of a room
 * @param {number} now Unix seconds
 * @returns {Typing}
 */
export function foldTyping(typing, { type, data }, now) {
  const by = data?.by;
  if (typeof by !== "string" || (type !== "typing" && type !== "message.posted")) return typing;
  const { [by]: _, ...others } = typing;
  return type === "typing" ? { ...others, [by]: now + TYPING } : others;
}

/** @param {Typing} typing @param {number} now @returns {string[]} names, in the order in which they began */
export const typists = (typing, now) => Object.keys(typing).filter((name) => typing[name] > now);
