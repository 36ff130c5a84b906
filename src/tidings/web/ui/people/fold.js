/** The folds of presence and typing, which are transient events and expire by themselves. Pure. */

/** Seconds without a sign of life after which a server process counts as gone, with the people connected to it. */
export const GONE = 12;
/** Seconds for which a person counts as typing after each event. */
export const TYPING = 5;

/**
 * The people of one server process. `at`: the time of its last sign of life; `version`: the number of changes so far.
 * @typedef {{at: number, version: number, here: Readonly<Record<string, number>>}} Process
 */
/** The server processes by their ids. @typedef {Readonly<Record<string, Process>>} Presence */
/** The time until which a person counts as typing, in Unix seconds. @typedef {Readonly<Record<string, number>>} Typing */

/** @type {Presence} */
export const nobody = {};
/** @type {Typing} */
export const quiet = {};

/**
 * The process of a beat, as it was before; a process that was never heard of begins at version 0, with nobody.
 * @param {Presence} presence @param {any} data @param {number} now @returns {Process}
 */
const before = (presence, data, now) => {
  const process = presence[data.process];
  return process && now - process.at <= GONE ? process : { at: now, version: 0, here: {} };
};

/** @param {import("../../client/index.js").Event} event */
const isBeat = ({ type, data }) => type === "presence" && typeof data?.process === "string";

/**
 * Tell whether a change before this event was missed: then the list of people must be read again.
 * @param {Presence} presence
 * @param {import("../../client/index.js").Event} event
 * @param {number} now Unix seconds
 */
export const missed = (presence, event, now) =>
  isBeat(event) && event.data.version !== before(presence, event.data, now).version + (event.data.changed ? 1 : 0);

/**
 * Fold one event, which names the people whose connections changed. After a missed change the people stay as they are.
 * @param {Presence} presence
 * @param {import("../../client/index.js").Event} event
 * @param {number} now the time of receipt, in Unix seconds of this device's clock
 * @returns {Presence}
 */
export function fold(presence, event, now) {
  if (!isBeat(event)) return presence;
  const { process, version, changed } = event.data;
  const known = before(presence, event.data, now);
  if (missed(presence, event, now)) return { ...presence, [process]: { ...known, at: now } };
  return { ...presence, [process]: { at: now, version, here: { ...known.here, ...changed } } };
}

/**
 * Take the list of people by process. A process whose later beats are here already stays as it is.
 * @param {Presence} presence
 * @param {{process: string, version: number, here: Record<string, number>}[]} processes
 * @param {number} now Unix seconds
 * @returns {Presence}
 */
export function take(presence, processes, now) {
  const newer = processes.filter(({ process, version }) => !(presence[process]?.version > version));
  const listed = newer.map(({ process, version, here }) => [process, { at: now, version, here }]);
  return { ...presence, ...Object.fromEntries(listed) };
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
