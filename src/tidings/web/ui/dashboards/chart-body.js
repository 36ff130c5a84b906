import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { soon } from "../page/frames.js";
import { theme } from "../page/theme.js";
import { Chart, coloursOf, toneOf } from "./chart.js";
import { summary } from "./data-fold.js";
import { firedWords } from "./episodes-fold.js";
import { figure, written } from "./figures-fold.js";
import { stamp } from "./times.js";
import { shownSpan, zoom, zoomTo } from "./view-state.js";

/** @typedef {{card: import("./document-fold.js").Card, model: import("./card-state.js").Model}} Shown */
/** @typedef {{off: import("@preact/signals").Signal<readonly string[]>, fired: import("@preact/signals").ReadonlySignal<readonly import("./episodes-fold.js").Fired[]>}} Marks */

/** The most rows of a table in place of a chart. */
const ROWS = 200;

/**
 * A chart with the figures of its lines, each of which is a button that switches the line off. `table`: a table in its place.
 * @param {Shown & Marks & {table: boolean}} props
 */
export function ChartBody({ card, model, off, fired, table }) {
  return html`
    <${Figures} card=${card} model=${model} off=${off} />
    ${table ? html`<${Rows} card=${card} model=${model} />` : html`<${Drawing} card=${card} model=${model} off=${off} fired=${fired} />`}
  `;
}

/** @param {Shown & {off: import("@preact/signals").Signal<readonly string[]>}} props */
function Figures({ card, model, off }) {
  const { lines } = model.drawn.value.data;
  const toggle = (/** @type {string} */ name) =>
    void (off.value = off.value.includes(name) ? off.value.filter((one) => one !== name) : [...off.value, name]);
  const many = lines.length > 2;
  return html`
    <div class=${many ? "figures many" : "figures"}>
      ${lines.map(({ name, figure: value }, line) => {
        const { text, unit } = figure(value, card.unit ?? "");
        const sign = html`<i class=${`swatch tone-${toneOf(line, lines.length)}`} />`;
        if (lines.length === 1) return html`<p key=${name}><b>${text}</b> <span>${unit || name}</span></p>`;
        return html`
          <button
            key=${name}
            type="button"
            aria-pressed=${String(!off.value.includes(name))}
            title=${off.value.includes(name) ? `Show ${name}` : `Hide ${name}`}
            onClick=${() => toggle(name)}
          >
            ${!many && html`<b>${text}</b> <span>${unit}</span>`} ${sign}<span>${name}</span>
            ${many && html`<em>${text} ${unit}</em>`}
          </button>
        `;
      })}
    </div>
  `;
}

/** @param {Shown & Marks} props */
function Drawing({ card, model, off, fired }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const current = useRef({ card, model });
  current.current = { card, model };
  useEffect(() => {
    const box = /** @type {HTMLElement} */ (root.current);
    const chart = new Chart(box, zoomTo);
    let colours = coloursOf(box);
    const draw = () => {
      if (!box.isConnected) return;
      const { data, before } = model.drawn.peek();
      const hidden = data.lines.map(({ name }) => off.peek().includes(name));
      const [stale, span] = [model.stale.peek(), shownSpan.peek()];
      chart.show(data, before, { card, hidden, stale, span, colours, fired: fired.peek() });
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const recolour = () => {
      colours = coloursOf(box);
      soon(draw);
    };
    dark.addEventListener("change", recolour);
    const stopTheme = effect(() => {
      theme.value;
      soon(recolour); // once the page has taken it
    });
    const stop = effect(() => {
      [model.drawn.value, model.stale.value, off.value, fired.value];
      soon(draw);
    });
    return () => {
      stop();
      stopTheme();
      dark.removeEventListener("change", recolour);
      chart.end();
    };
  }, [model, card]);
  return html`<div class="chart" ref=${root} role="img" aria-label=${useSummary(card, model, fired)} />`;
}

/**
 * A sentence about the chart, which changes no more often than every ten seconds, and when something fires.
 * @param {import("./document-fold.js").Card} card
 * @param {import("./card-state.js").Model} model
 * @param {Marks["fired"]} fired
 */
function useSummary(card, model, fired) {
  const said = useRef({ at: 0, text: "", alerts: "" });
  const now = Date.now();
  const { from, to } = shownSpan.peek();
  // An alert that has just fired is ahead of the clock of the charts.
  const alerts = firedWords(fired.value, from, zoom.peek() ? to : Infinity);
  if (now - said.current.at > 10_000 || said.current.text === "" || said.current.alerts !== alerts) {
    const { data } = model.drawn.peek();
    const values = summary(card.title, data, (value) => written(value, card.unit ?? ""));
    said.current = { at: now, alerts, text: alerts ? `${values}. ${alerts}` : values };
  }
  return said.current.text;
}

/** The values of a chart as a table, the last first. @param {Shown} props */
function Rows({ card, model }) {
  const { lines, times, step } = model.drawn.value.data;
  const known = times
    .map((time, n) => ({ time, n }))
    .filter(({ n }) => lines.some(({ values }) => typeof values[n] === "number"))
    .slice(-ROWS)
    .toReversed();
  return html`
    <div class="tile-table" tabindex="0" role="region" aria-label=${`Values of ${card.title}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            ${lines.map(({ name }) => html`<th scope="col" key=${name}>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${known.map(
            ({ time, n }) => html`
              <tr key=${time}>
                <th scope="row">${stamp(time, step)}</th>
                ${lines.map(({ name, values }) => html`<td key=${name}>${written(values[n], card.unit ?? "")}</td>`)}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}
