/** Durations as maps write them, short enough for a label: "350 ms", "42 s", "26 min", "3.1 h", "1.4 d". */

/** Units, the longest first, in seconds. @type {readonly [number, string][]} */
const UNITS = [
  [31_557_600, "y"],
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** The part of a unit from which on a duration is written in it, so that 59.7 s are a minute and not 60 s. */
const NEARLY = 0.995;

/** @param {number} seconds */
export function span(seconds) {
  if (seconds === 0) return "0\u00a0s";
  if (seconds < NEARLY) return `${Math.max(1, Math.round(seconds * 1000))}\u00a0ms`;
  const [size, unit] = UNITS.find(([size]) => seconds >= size * NEARLY) ?? UNITS[UNITS.length - 1];
  const value = seconds / size;
  return `${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)}\u00a0${unit}`;
}

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** A time of an event, which may be long ago. @param {number} seconds Unix time. "29 Nov 2026, 10:15:00" */
export const stamp = (seconds) => moment.format(new Date(seconds * 1000));
