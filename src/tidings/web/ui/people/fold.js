/** Who is here, and who types: the folds of transient events, which expire by themselves. Pure. */

/** Seconds after which a server process that says nothing has gone, and with it who was there. */
export const GONE = 12;
/** Seconds for which someone types who was seen typing. */
export const TYPING = 5;

/**
 * Who is connected to each process, and when it said so.
 * @typedef {Readonly<Record<string, {at: number, here: Readonly<Record<string, number>>}>>} Presence
 */
/** Until when someone types, in Unix seconds. @typedef {Readonly<Record<string, number>>} Typing */

/** @type {Presence} */
export const nobody = {};
/** @type {Typing} */
export const quiet = {};

/**
 * @param {Presence} presence
 * @param {import("../../client/index.js").Event} event
 * @param {number} now Unix seconds, by this device's clock: of when it came
 * @returns {Presence}
 */
export function fold(presence, { type, data }, now) {
  if (type !== "presence" || typeof data?.process !== "string" || !data.here) return presence;
  return { ...presence, [data.process]: { at: now, here: data.here } };
}

/** The connections of each who is here. @param {Presence} presence @param {number} now @returns {Map<string, number>} */
export function here(presence, now) {
  const all = new Map();
  for (const { at, here } of Object.values(presence)) {
    if (now - at > GONE) continue;
    for (const [name, count] of Object.entries(here)) if (count > 0) all.set(name, (all.get(name) ?? 0) + count);
  }
  return all;
}

/**
 * Typing ends after a while, and at once with what was typed.
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

/** @param {Typing} typing @param {number} now @returns {string[]} names, in the order in which they were seen */
export const typists = (typing, now) => Object.keys(typing).filter((name) => typing[name] > now);
