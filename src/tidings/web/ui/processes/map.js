import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { number } from "../text/format.js";
import { Controls } from "./controls.js";
import { RUN, dots } from "./dots-state.js";
import { cut, gap } from "./export-fold.js";
import { bounds } from "./layout-fold.js";
import { lay, layout, notArranged } from "./layout-state.js";
import { Legend } from "./legend.js";
import { around, keyOf, onPath, widthOf } from "./map-fold.js";
import { usePointers } from "./pointers.js";
import { NODE, curve } from "./route-fold.js";
import { choose, direction, map, marked, news, process, stale, subject } from "./state.js";
import { bring, fit, move, transform, zoom } from "./view-state.js";
import { aboutOf, activityInWords, edgeInWords, labelOf } from "./words.js";
import { walked } from "./walk-fold.js";

/** Letters of a name that an activity has space for, and with the sign of new cases beside it. */
const LETTERS = 19;
const FEWER = 14;

/** The map, with its controls and its legend. */
export function ProcessMap() {
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const size = useSignal({ width: 0, height: 0 });
  const shown = /** @type {import("./map-fold.js").Drawn} */ (map.value);
  const names = shown.nodes.map(({ activity }) => activity);
  const keys = shown.edges.map(({ from, to }) => keyOf(from, to));
  const graph = {
    nodes: names,
    edges: shown.edges.map(({ from, to, cases }) => ({ from, to, cases })),
    direction: direction.value,
  };
  useEffect(() => lay(graph), [[direction.value, ...names, "", ...keys].join("\n")]);
  useEffect(() => {
    const box = /** @type {HTMLElement} */ (frame.current);
    const sizes = new ResizeObserver(() => (size.value = { width: box.clientWidth, height: box.clientHeight }));
    sizes.observe(box);
    return () => sizes.disconnect();
  }, []);
  const whole = (/** @type {boolean} */ asked) =>
    layout.value && fit(bounds(layout.value, names, shown.edges), size.value, asked);
  useEffect(() => void whole(false), [layout.value, size.value]);
  const { width, height } = size.value;
  return html`
    <div class=${stale.value ? "map stale" : "map"} ref=${frame} id="composer" tabindex="-1">
      ${layout.value && html`<${Drawing} drawn=${shown} size=${size.value} fitted=${() => whole(true)} />`}
      ${notArranged.value && html`<p class="map-note" role="alert">The map cannot be drawn. Its figures are in the table.</p>`}
      <${Controls} />
      <${Legend} />
      <div class="map-view" role="group" aria-label="View">
        <button type="button" class="button" aria-label="Zoom in" onClick=${() => zoom(1.25, width / 2, height / 2)}>
          +
        </button>
        <button type="button" class="button" aria-label="Zoom out" onClick=${() => zoom(0.8, width / 2, height / 2)}>
          −
        </button>
        <button type="button" class="button" title="Show all of the map (0)" onClick=${() => whole(true)}>Fit</button>
        <button type="button" class="button" title="Arrange what is shown anew" onClick=${() => lay(graph, true)}>
          Arrange
        </button>
      </div>
    </div>
  `;
}

/**
 * @param {object} props
 * @param {import("./map-fold.js").Drawn} props.drawn
 * @param {{width: number, height: number}} props.size of the frame
 * @param {() => unknown} props.fitted shows all of the map
 */
function Drawing({ drawn, size, fitted }) {
  const root = useRef(/** @type {SVGElement | null} */ (null));
  const hover = useSignal(/** @type {string | null} */ (null));
  const at = useSignal(drawn.nodes[0]?.activity ?? "");
  const pointers = usePointers(root);
  const placed = /** @type {import("./layout-fold.js").Layout} */ (layout.value);
  const nodes = drawn.nodes.filter(({ activity }) => placed.nodes.has(activity));
  const edges = drawn.edges.filter(({ from, to }) => placed.edges.has(keyOf(from, to)));
  const ids = new Set([...nodes.map(({ activity }) => activity), ...edges.map(({ from, to }) => keyOf(from, to))]);
  const stop = ids.has(at.value) ? at.value : (nodes[0]?.activity ?? "");
  const lit =
    hover.value !== null && ids.has(hover.value) ? around(hover.value, edges) : marked.value && onPath(marked.value);
  const chosen = subject.value;
  const selected =
    chosen && "edge" in chosen ? keyOf(...chosen.edge) : chosen && "activity" in chosen ? chosen.activity : null;

  const go = (/** @type {string} */ to) => {
    at.value = to;
    const all = /** @type {NodeListOf<SVGElement>} */ (root.current?.querySelectorAll("[data-at]"));
    [...all].find((one) => one.dataset.at === to)?.focus({ preventScroll: true });
    const place = placed.nodes.get(to) ?? placed.edges.get(to)?.label;
    if (place) bring(place, size);
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const next = walked(key, stop, drawn, placed);
    if (next !== null) go(next);
    else if (key === "Enter" || key === " ") open(stop);
    else if (key === "Escape" && subject.value) choose(null);
    else if (key === "+" || key === "=") zoom(1.25, size.width / 2, size.height / 2);
    else if (key === "-") zoom(0.8, size.width / 2, size.height / 2);
    else if (key === "0") fitted();
    else if (!key.startsWith("Arrow")) return;
    event.preventDefault();
  };
  const open = (/** @type {string} */ what) => {
    const edge = edges.find(({ from, to }) => keyOf(from, to) === what);
    choose(edge ? { edge: [edge.from, edge.to] } : { activity: what });
  };
  const wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    const { left, top } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    // A browser says that two fingers pinch by a wheel with Ctrl.
    if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY / 200), event.clientX - left, event.clientY - top);
    else move(-event.deltaX, -event.deltaY);
  };
  /** The attributes of an activity or an edge that can be chosen. @param {string} id */
  const stopAt = (id) => ({
    role: "button",
    tabindex: id === stop ? 0 : -1,
    "data-at": id,
    onFocus: () => (at.value = id),
    onClick: () => pointers.clicked() && (go(id), open(id)),
    onPointerEnter: (/** @type {PointerEvent} */ { pointerType }) => pointerType === "mouse" && (hover.value = id),
    onPointerLeave: () => (hover.value = null),
  });
  const kind = (/** @type {string} */ name, /** @type {string} */ id) =>
    [name, lit && !lit.has(id) && "dim", id === selected && "selected"].filter(Boolean).join(" ");
  return html`
    <svg
      class="process-map"
      role="group"
      aria-label=${`Process map of ${process.value.name}. Arrow keys walk, Enter opens details.`}
      width=${size.width}
      height=${size.height}
      ref=${root}
      onKeyDown=${keys}
      onWheel=${wheel}
      ...${pointers.handlers}
    >
      <g transform=${transform}>
        ${edges.map((edge) => {
          const id = keyOf(edge.from, edge.to);
          return html`<${Edge}
            key=${id}
            ...${{ edge, drawn, way: placed.edges.get(id), kind: kind("edge", id), stop: stopAt(id) }}
          />`;
        })}
        ${nodes.map((activity) => {
          const id = activity.activity;
          const cases = process.value.figures?.cases ?? 0;
          return html`<${Node}
            key=${id}
            ...${{ activity, cases, place: placed.nodes.get(id), kind: kind("node", id), stop: stopAt(id) }}
          />`;
        })}
        ${dots.value.map(({ key, number }) => {
          const way = ids.has(key) && placed.edges.get(key);
          return way && html`<${Dot} key=${number} path=${curve(way.points, 1).line} />`;
        })}
      </g>
    </svg>
  `;
}

/** A dot that runs along an edge once. @param {{path: string}} props */
function Dot({ path }) {
  const motion = useRef(/** @type {SVGAnimationElement | null} */ (null));
  useEffect(() => motion.current?.beginElement(), []);
  return html`
    <circle class="runner" r="5">
      <animateMotion ref=${motion} path=${path} dur=${`${RUN}ms`} begin="indefinite" fill="freeze" />
    </circle>
  `;
}

/** @param {any} props */
function Edge({ edge, drawn, way, kind, stop }) {
  const width = widthOf(edge.cases, drawn.most);
  const { line, tip } = curve(way.points, width);
  const label = labelOf(edge);
  const [x, y] = way.label;
  return html`
    <g class=${kind} aria-label=${edgeInWords(edge)} ...${stop}>
      <path class="hit" d=${line} />
      <path class="halo" d=${line} />
      <path class="line" d=${line} stroke-width=${width.toFixed(2)} />
      <path class="tip" d=${tip} />
      <rect class="gap" x=${x - gap(label) / 2} y=${y - 10} width=${gap(label)} height="20" rx="6" />
      <text x=${x} y=${y} text-anchor="middle" dominant-baseline="central">${label}</text>
    </g>
  `;
}

/** @param {any} props */
function Node({ activity, cases, place: [x, y], kind, stop }) {
  const come = news.value.get(activity.activity) ?? 0;
  const name = cut(activity.activity, come > 0 ? FEWER : LETTERS);
  const corner = `translate(${x - NODE.width / 2}px, ${y - NODE.height / 2}px)`;
  return html`
    <g class=${kind} style=${{ transform: corner }} aria-label=${activityInWords(activity)} ...${stop}>
      ${name !== activity.activity && html`<title>${activity.activity}</title>`}
      <rect class="box" width=${NODE.width} height=${NODE.height} rx="10" />
      <rect
        class="share"
        y="10"
        width="3"
        height=${NODE.height - 20}
        fill-opacity=${0.15 + (0.85 * activity.cases) / Math.max(cases, 1)}
      />
      <svg x="14" width=${NODE.width - 22} height=${NODE.height}>
        <text class="name" y="21">${name}</text>
        ${" "}
        <text class="about" y="39">${aboutOf(activity)}</text>
      </svg>
      ${
        come > 0 &&
        html`<g class="news" aria-hidden="true">
          <text x=${NODE.width - 24} y="21" text-anchor="end">+${number(come)}</text>
          <circle cx=${NODE.width - 15} cy="17" r="4" />
        </g>`
      }
    </g>
  `;
}
