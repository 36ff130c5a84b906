/** Figures as cards write them: short, with a unit that fits their size. */

/** @typedef {{text: string, unit: string}} Figure */

const SPACE = "\u00a0";

/** Units that have larger and smaller ones, with the factor of each. @type {Record<string, [number, string][]>} */
const SCALES = {
  s: [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
    [1e-3, "ms"],
    [1e-6, "µs"],
  ],
  bytes: [
    [1e12, "TB"],
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
    [1, "B"],
  ],
};

/** Factors of large plain numbers. @type {[number, string][]} */
const LARGE = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
];

/** The factor and the name of the unit in which a value is written. @param {number} size @param {string} unit @returns {[number, string]} */
function scaled(size, unit) {
  const scale = SCALES[unit];
  if (!scale) return [1, unit];
  if (size === 0) return scale.find(([factor]) => factor === 1) ?? scale[scale.length - 1];
  return scale.find(([factor]) => size >= factor) ?? scale[scale.length - 1];
}

/** Write a number with at most three digits after its point. @param {number} value @returns {string} */
function short(value) {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  const large = LARGE.find(([factor]) => size >= factor);
  if (large) return `${short(value / large[0])}${SPACE}${large[1]}`;
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const [whole, part = ""] = value.toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = part.replace(/0+$/, "");
  return rest ? `${grouped}.${rest}` : grouped;
}

/**
 * Write a value.
 * @param {number | null | undefined} value null: unknown, which is never 0
 * @param {string} unit
 * @param {number} [like] the value whose unit is taken, so that a column of figures has one unit
 * @returns {Figure}
 */
export function figure(value, unit, like = value ?? 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return { text: "–", unit: "" };
  const [factor, name] = scaled(Math.abs(like), unit);
  return { text: short(value / factor), unit: name };
}

/** A value with its unit, as one text. @param {number | null | undefined} value @param {string} unit */
export function written(value, unit) {
  const { text, unit: name } = figure(value, unit);
  return name ? `${text}${SPACE}${name}` : text;
}

/** Seconds as an age: "0.4 s", "48 s", "3 min", "2 h", "5 d". @param {number} seconds */
export function age(seconds) {
  const past = Math.max(0, seconds);
  if (past < 10) return `${past.toFixed(1)}${SPACE}s`;
  if (past < 100) return `${Math.round(past)}${SPACE}s`;
  if (past < 6000) return `${Math.round(past / 60)}${SPACE}min`;
  if (past < 172_800) return `${Math.round(past / 3600)}${SPACE}h`;
  return `${Math.round(past / 86_400)}${SPACE}d`;
}

/** The ranges that a dashboard offers, in seconds, by their names. @type {readonly [number, string][]} */
export const RANGES = [
  [60, `1${SPACE}m`],
  [300, `5${SPACE}m`],
  [3600, `1${SPACE}h`],
  [86_400, `24${SPACE}h`],
  [604_800, `7${SPACE}d`],
  [2_592_000, `30${SPACE}d`],
  [7_776_000, `90${SPACE}d`],
];

/** The name of a range. @param {number} seconds */
export const rangeName = (seconds) => RANGES.find(([range]) => range === seconds)?.[1] ?? age(seconds);
