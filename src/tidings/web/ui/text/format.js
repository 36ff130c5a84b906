/** Numbers, times and sizes as the page writes them, with a no-break space before the unit. */

const count = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const date = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "medium", hourCycle: "h23" });

/** @param {number} number "1,284" */
export const number = (number) => count.format(number);

/** @param {number} seconds Unix time. "10:14", and before today "3 Nov, 10:14" */
export function time(seconds) {
  const at = new Date(seconds * 1000);
  const today = new Date().toDateString() === at.toDateString();
  return today ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

/** @param {number} seconds Unix time. "10:14" */
export const clockTime = (seconds) => clock.format(new Date(seconds * 1000));

/** @param {number} seconds Unix time. "Today", "Yesterday", "Tuesday, November 3" */
export function dayName(seconds) {
  const ago = (/** @type {number} */ days) => new Date(new Date().setDate(new Date().getDate() - days)).toDateString();
  const at = new Date(seconds * 1000);
  return ["Today", "Yesterday"].find((_, days) => at.toDateString() === ago(days)) ?? date.format(at);
}

/** The number of midnights since a time. @param {number} seconds Unix time */
export function daysAgo(seconds) {
  const midnight = (/** @type {Date} */ at) => Date.UTC(at.getFullYear(), at.getMonth(), at.getDate());
  return (midnight(new Date()) - midnight(new Date(seconds * 1000))) / 86_400_000;
}

/** @param {number} seconds Unix time */
export const fullTime = (seconds) => full.format(new Date(seconds * 1000));

/** @param {number} seconds a duration: "38 ms", "4.2 s", "2 min 5 s" */
export function duration(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))}\u00a0ms`;
  if (seconds < 60) return `${seconds.toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}\u00a0min ${whole % 60}\u00a0s`;
}

/** @param {number} bytes "4.1 kB", "10.5 MB" */
export function size(bytes) {
  if (bytes < 1000) return `${bytes}\u00a0B`;
  return bytes < 999_950 ? `${(bytes / 1000).toFixed(1)}\u00a0kB` : `${(bytes / 1_000_000).toFixed(1)}\u00a0MB`;
}

/** @param {number} bytes a limit, in the unit in which it was set: "10 MiB", else like a size */
export function limit(bytes) {
  return bytes > 0 && bytes % 2 ** 20 === 0 ? `${number(bytes / 2 ** 20)}\u00a0MiB` : size(bytes);
}

/** @param {number} n @param {string} one @param {string} [many] "1 event", "7 events" */
export const counted = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** @param {string} text @param {number} [most] characters, about two lines */
export const brief = (text, most = 200) => (text.length > most ? `${text.slice(0, most).trimEnd()}\u2026` : text);

/** @param {number} n "2nd" */
export function ordinal(n) {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return n + (teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th"));
}

/** Initials, by whole characters, so that an emoji is not cut in half. @param {string} name "ML" */
export function initials(name) {
  const words = name
    .trim()
    .split(/\s+/)
    .map((word) => [...word]);
  const letters = words.length > 1 ? [words[0][0], words[words.length - 1][0]] : words[0].slice(0, 2);
  return letters.join("").toUpperCase();
}
