/** A chart of uPlot: its series, axes and tooltip, and what is drawn around the lines. */
import uPlot from "uplot";
import { element } from "../text/element.js";
import { axisOf, stacked } from "./data-fold.js";
import { figure, written } from "./figures-fold.js";
import { alarms, dotsOf, hatch, thresholds } from "./strokes.js";
import { stamp, ticks } from "./times.js";

/** @typedef {import("./data-fold.js").Data} Data */
/** @typedef {import("./document-fold.js").Card} Card */

/** @typedef {uPlot} Plot */
/** @typedef {{data: Data, before: Data | null, look: Look}} Shown */

/**
 * @typedef {object} Look
 * @property {Card} card
 * @property {boolean[]} hidden the lines that were switched off
 * @property {boolean} stale the lines are grey
 * @property {{from: number, to: number}} span
 * @property {Record<string, string>} colours
 * @property {readonly import("./episodes-fold.js").Fired[]} fired
 */

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif';

/** The colours of lines, by the number of the tone. */
const TONES = ["ink-3", "data-1", "data-2", "data-3", "data-4", "data-5", "keyword"];

/** Names of the colours that a chart draws in. */
const COLOURS = [...TONES, "line", "line-strong", "amber-line", "red-line", "surface"];

/** The colours of the page as they are now: a canvas does not know the page's names. @param {HTMLElement} box */
export function coloursOf(box) {
  const probe = element("i");
  box.append(probe);
  const found = COLOURS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return /** @type {Record<string, string>} */ (Object.fromEntries(found));
}

/** A colour that lets the ground through. @param {string} colour "rgb(…)" @param {number} share */
function pale(colour, share) {
  const [red, green, blue] = colour.match(/[\d.]+/g) ?? ["0", "0", "0"];
  return `rgba(${red}, ${green}, ${blue}, ${share})`;
}

/** The number of a line's tone. Two lines take the two that differ most; from the sixth on lines are grey. @param {number} line @param {number} of the number of lines */
export const toneOf = (line, of) => (of === 2 && line === 1 ? 6 : line < 5 ? line + 1 : 0);

/** The chart in a box. `show` draws what is given; the rest is up to uPlot. */
export class Chart {
  /** @type {uPlot | null} */
  #plot = null;
  #made = "";
  #box;
  #onZoom;
  #tip = element("div", { class: "chart-tip", hidden: "" });
  #sizes;
  /** @type {Shown | null} */
  #shown = null;

  /** @param {HTMLElement} box @param {(from: number, to: number) => void} onZoom */
  constructor(box, onZoom) {
    this.#box = box;
    this.#onZoom = onZoom;
    this.#sizes = new ResizeObserver(() => this.#resize());
    this.#sizes.observe(box);
  }

  end() {
    this.#sizes.disconnect();
    this.#plot?.destroy();
  }

  /** @param {Data} data @param {Data | null} before the day before @param {Look} look */
  show(data, before, look) {
    this.#shown = { data, before, look };
    const { card, hidden, span, stale, colours } = look;
    const made = JSON.stringify([card, hidden, stale, colours, before?.lines.length, data.lines.map(shapeOf)]);
    const table = /** @type {any} */ (tableOf(data, before, look));
    if (made !== this.#made || !this.#plot) {
      this.#plot?.destroy();
      this.#made = made;
      this.#plot = new uPlot(this.#options(data, before, look), table, this.#box);
      this.#plot.over.append(this.#tip);
    }
    const plot = this.#plot;
    plot.batch(() => {
      plot.setData(table, false);
      plot.setScale("x", { min: span.from, max: span.to });
    });
  }

  #size() {
    return { width: Math.max(60, this.#box.clientWidth), height: Math.max(60, this.#box.clientHeight) };
  }

  #resize() {
    const { width, height } = this.#size();
    if (this.#plot && (this.#plot.width !== width || this.#plot.height !== height))
      this.#plot.setSize({ width, height });
  }

  /** @param {Data} data @param {Data | null} before @param {Look} look @returns {import("uplot").Options} */
  #options(data, before, look) {
    const { card, colours } = look;
    const text = { font: `12px ${FONT}`, stroke: colours["ink-3"] };
    const plain = { show: false };
    return {
      ...this.#size(),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 7, width: 0 },
      },
      scales: {
        x: { time: true },
        y: { range: (_plot, low, high) => axisOf(low, high, card) },
      },
      axes: [
        {
          ...text,
          grid: plain,
          ticks: plain,
          space: 76,
          size: 28,
          gap: 6,
          values: (_plot, at, _axis, _space, step) => ticks(at, step),
        },
        {
          ...text,
          grid: { stroke: colours.line, width: 1 },
          ticks: plain,
          space: 44,
          gap: 8,
          size: (_plot, texts) => 14 + 7 * Math.max(2, ...(texts ?? []).map((one) => String(one ?? "").length)),
          values: (_plot, at) => at.map((value) => axisText(value, card.unit ?? "", at[at.length - 1])),
        },
      ],
      ...seriesOf(data, before, look),
      hooks: {
        drawAxes: [
          (plot) => this.#shown && hatch(plot, this.#shown.data.gaps, colours["line-strong"]),
          (plot) => this.#shown && alarms(plot, this.#shown.look.fired, colours["red-line"], pale),
          (plot) => thresholds(plot, card.thresholds ?? [], colours["amber-line"]),
        ],
        draw: [(plot) => card.kind !== "bar" && dotsOf(plot, data.lines.length, this.#shown?.data ?? data)],
        setSelect: [(plot) => this.#selected(plot)],
        setCursor: [(plot) => this.#point(plot)],
      },
    };
  }

  /** @param {uPlot} plot */
  #selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#onZoom(from, to);
  }

  /** Write the values under the pointer beside it. @param {uPlot} plot */
  #point(plot) {
    const { idx, left = -1 } = plot.cursor;
    const { data, before, look } = /** @type {Shown} */ (this.#shown);
    const at = idx ?? -1;
    this.#tip.hidden = left < 0 || at < 0 || at >= data.times.length;
    if (this.#tip.hidden) return;
    const unit = look.card.unit ?? "";
    const row = (/** @type {string} */ name, /** @type {any} */ value) =>
      element("p", {}, element("b", {}, written(value, unit)), ` ${name}`);
    const rows = data.lines.flatMap(({ name, values, low, high }, line) => {
      if (look.hidden[line] || values[at] === undefined) return [];
      const hides = low?.[at] !== undefined && low?.[at] !== null;
      const note = hides ? ` (${written(low?.[at], unit)} to ${written(high?.[at], unit)})` : "";
      return [row(`${data.lines.length > 1 ? name : ""}${note}`, values[at])];
    });
    const past = (before?.lines ?? []).map(({ name, values }) =>
      row(`${name}, a day before`, valueAt(before, values, at, data)),
    );
    const time = data.times[at];
    const fired = look.fired
      .filter(({ from, to }) => from < time + data.step && (to ?? Infinity) > time)
      .map(({ title }) => element("p", { class: "fired" }, `${title} fired`));
    const when = element("p", { class: "moment" }, stamp(time, data.step));
    this.#tip.replaceChildren(when, ...rows, ...past, ...fired.slice(0, 3));
    const right = left > plot.over.clientWidth / 2;
    this.#tip.style.transform = `translate(${left + (right ? -10 : 10)}px, 4px) translateX(${right ? "-100%" : "0"})`;
  }
}

/** The facts on which a line's place in uPlot depends. @param {import("./data-fold.js").Drawn} line */
const shapeOf = ({ name, low }) => [name, low !== null];

/** @param {number} value @param {string} unit @param {number} like */
function axisText(value, unit, like) {
  const { text, unit: name } = figure(value, unit, like);
  return ["ms", "µs", "s", "min", "h", "d", "B", "kB", "MB", "GB", "TB"].includes(name) && value !== 0
    ? `${text}\u00a0${name}`
    : text;
}

/** The value of the day before at a place of the chart. @param {Data | null} before @param {readonly (number | null | undefined)[]} values @param {number} at @param {Data} data */
function valueAt(before, values, at, data) {
  return before ? (values[Math.floor((data.times[at] - before.times[0]) / before.step)] ?? null) : null;
}

/** The rows of numbers in the order of the series. @param {Data} data @param {Data | null} before @param {Look} look */
function tableOf(data, before, { card, hidden }) {
  if (card.kind === "bar") return [data.times, ...stacked(data.lines, hidden).toReversed()];
  const rows = data.lines.flatMap(({ values, low, high }) => (low ? [values, high, low] : [values]));
  const past = (before?.lines ?? []).map(({ values }) => {
    let last = -1;
    return data.times.map((time) => {
      const n = before ? Math.floor((time - before.times[0]) / before.step) : 0;
      if (n === last) return undefined;
      last = n;
      return values[n];
    });
  });
  return [data.times, ...rows, ...past];
}

/** The series and bands of uPlot. @param {Data} data @param {Data | null} before @param {Look} look @returns {{series: import("uplot").Series[], bands: import("uplot").Band[]}} */
function seriesOf(data, before, { card, hidden, stale, colours }) {
  const all = data.lines.length;
  const colour = (/** @type {number} */ line) => colours[TONES[stale ? 0 : toneOf(line, all)]];
  const points = { show: false };
  const bars = uPlot.paths.bars?.({ size: [0.82, 40], align: 1 });
  if (card.kind === "bar") {
    const made = data.lines.map((_, line) => ({
      points,
      show: !hidden[line],
      fill: colour(line),
      stroke: colours.surface,
      width: 1,
      paths: bars,
    }));
    return { series: [{}, ...made.toReversed()], bands: [] };
  }
  /** @type {import("uplot").Series[]} */
  const series = [{}];
  /** @type {import("uplot").Band[]} */
  const bands = [];
  data.lines.forEach(({ low }, line) => {
    const show = !hidden[line];
    const share = card.kind === "area" ? 0.22 : line === 0 ? 0.09 : 0;
    const fill = share > 0 ? pale(colour(line), share) : undefined;
    series.push({ points, show, stroke: colour(line), width: 1.75, fill, spanGaps: false });
    if (!low) return;
    const edge = { points, show, stroke: pale(colour(line), 0.45), width: 1 };
    bands.push({ series: [series.length, series.length + 1], fill: pale(colour(line), 0.22) });
    series.push(edge, edge);
  });
  for (const _ of before?.lines ?? []) series.push({ points, stroke: colours["ink-3"], width: 1, dash: [4, 4] });
  return { series, bands };
}
