/** A map as files: tables of comma-separated values, and a picture. */
import { keyOf, widthOf } from "./map-fold.js";
import { NODE, curve } from "./route-fold.js";

/** @typedef {import("./map-fold.js").Figures} Figures */
/** @typedef {import("./map-fold.js").Drawn} Drawn */
/** @typedef {import("./layout-fold.js").Layout} Layout */

/** Space around the map in a picture. */
const MARGIN = 24;

/** The colours of a picture, which is always light. */
const INK = "#13201f";
const SOFT = "#425251";
const LINE = "#1f888e";
const GROUND = "#ffffff";

/**
 * A cell. Programs for tables take a text that begins so for a formula, so that it gets an apostrophe.
 * @param {unknown} value
 */
function cell(value) {
  if (typeof value !== "string") return value === null ? "" : String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {readonly (readonly unknown[])[]} rows */
const written = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

/** All edges. Durations are in seconds. @param {Pick<Figures, "edges">} figures */
export const edgesCsv = ({ edges }) =>
  written([
    ["from", "to", "events", "cases", "mean", "median", "min", "max", "sum", "exact"],
    ...edges.map((edge) => [
      edge.from,
      edge.to,
      edge.events,
      edge.cases,
      edge.mean,
      edge.median,
      edge.min,
      edge.max,
      edge.sum,
      edge.exact,
    ]),
  ]);

/** All activities. @param {Pick<Figures, "activities" | "start" | "end">} figures */
export const activitiesCsv = ({ activities, start, end }) =>
  written([
    ["activity", "events", "cases", "start", "end", "open", "oldest"],
    ...activities.map(({ activity, events, cases, open, oldest }) => [
      activity,
      events,
      cases,
      start[activity] ?? 0,
      end[activity] ?? 0,
      open,
      oldest,
    ]),
  ]);

/** The variants that are listed. @param {Pick<Figures, "top_variants">} figures */
export const variantsCsv = ({ top_variants }) =>
  written([["cases", "trace"], ...top_variants.map(({ cases, trace }) => [cases, trace.join(" > ")])]);

/** @param {unknown} text */
const escaped = (text) =>
  String(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;")
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");

/**
 * The map as it is drawn, as a picture of its own.
 * @param {string} title
 * @param {Drawn} drawn
 * @param {Layout} layout
 * @param {import("./layout-fold.js").Box} box
 * @param {(edge: import("./map-fold.js").Edge) => string} labelOf
 * @param {(activity: import("./map-fold.js").Activity) => string} aboutOf
 * @returns {string}
 */
export function svg(title, { nodes, edges, most }, layout, box, labelOf, aboutOf) {
  const [left, top] = [box.left - MARGIN, box.top - MARGIN].map(Math.round);
  const [width, height] = [box.width + 2 * MARGIN, box.height + 2 * MARGIN].map(Math.round);
  const lines = edges.flatMap((edge) => {
    const way = layout.edges.get(keyOf(edge.from, edge.to));
    if (!way) return [];
    const wide = widthOf(edge.cases, most);
    const { line, tip } = curve(way.points, wide);
    const label = labelOf(edge);
    const [x, y] = way.label;
    return [
      `<path d="${line}" fill="none" stroke="${LINE}" stroke-width="${wide.toFixed(2)}"/><path d="${tip}" fill="${LINE}"/>`,
      `<rect x="${x - gap(label) / 2}" y="${y - 9}" width="${gap(label)}" height="18" fill="${GROUND}"/>`,
      `<text x="${x}" y="${y + 4}" text-anchor="middle" font-size="12" fill="${INK}">${escaped(label)}</text>`,
    ];
  });
  const boxes = nodes.flatMap((node) => {
    const at = layout.nodes.get(node.activity);
    if (!at) return [];
    const [x, y] = [at[0] - NODE.width / 2, at[1] - NODE.height / 2];
    return [
      `<rect x="${x}" y="${y}" width="${NODE.width}" height="${NODE.height}" rx="10" fill="${GROUND}" stroke="#c3cece"/>`,
      `<text x="${x + 14}" y="${y + 22}" font-size="13" font-weight="600" fill="${INK}">${escaped(cut(node.activity, 19))}` +
        `<title>${escaped(node.activity)}</title></text>`,
      `<text x="${x + 14}" y="${y + 40}" font-size="12" fill="${SOFT}">${escaped(aboutOf(node))}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left} ${top} ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif">`,
    `<title>${escaped(title)}</title><rect x="${left}" y="${top}" width="${width}" height="${height}" fill="${GROUND}"/>`,
    ...lines,
    ...boxes,
    "</svg>\n",
  ].join("\n");
}

/** The width of the gap in a line for its label. @param {string} label */
export const gap = (label) => label.length * 7 + 10;

/**
 * A text cut to a width, in letters of usual width. Letters of Asian scripts and emoji take two.
 * @param {string} text
 * @param {number} most
 */
export function cut(text, most) {
  let width = 0;
  let kept = "";
  for (const letter of text.replace(/\s+/g, " ")) {
    width += (letter.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
    if (width > most) return `${kept.trimEnd()}\u2026`;
    kept += letter;
  }
  return kept;
}
