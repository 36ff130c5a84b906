import { html } from "../kit/html.js";
import { figure, written } from "./figures-fold.js";

/** @typedef {{card: import("./document-fold.js").Card, model: import("./card-state.js").Model}} Shown */

/** Check a value against the last threshold that it has passed. @param {number | null} value @param {readonly number[]} thresholds */
const isOver = (value, thresholds) => value !== null && thresholds.some((limit) => value >= limit);

/** A figure for each line. @param {Shown} props */
export function NumberBody({ card, model }) {
  return html`
    <div class="numbers">
      ${model.drawn.value.data.lines.map(({ name, figure: value }, _, all) => {
        const { text, unit } = figure(value, card.unit ?? "");
        return html`<p key=${name} class=${isOver(value, card.thresholds ?? []) ? "over" : ""}>
          <b>${text}</b> <span>${unit}</span>${all.length > 1 && html`<small>${name}</small>`}
        </p>`;
      })}
    </div>
  `;
}

/** The half circle of a gauge: its radius, and the length of its arc. */
const RADIUS = 80;
const ARC = Math.PI * RADIUS;

/** The point of a gauge at a share of its arc. @param {number} share @param {number} radius */
function pointAt(share, radius) {
  const angle = Math.PI * (1 - share);
  return `${100 + radius * Math.cos(angle)} ${92 - radius * Math.sin(angle)}`;
}

/** A half circle, with ticks at the thresholds and the figure inside. @param {Shown} props */
export function Gauge({ card, model }) {
  const [line] = model.drawn.value.data.lines;
  const unit = card.unit ?? "";
  const value = line?.figure ?? null;
  const least = card.min ?? 0;
  const most = card.max ?? (unit === "%" ? 100 : Math.max(least + 1, value ?? 0, ...(card.thresholds ?? [])));
  const share = (/** @type {number} */ at) => Math.max(0, Math.min(1, (at - least) / (most - least)));
  const { text, unit: name } = figure(value, unit);
  const arc = `M ${pointAt(0, RADIUS)} A ${RADIUS} ${RADIUS} 0 0 1 ${pointAt(1, RADIUS)}`;
  return html`
    <div class="gauge">
      <svg viewBox="0 0 200 104" role="img" aria-label=${`${text} ${name} of ${written(most, unit)}`}>
        <path class="ground" d=${arc} />
        ${
          value !== null &&
          html`<path
            class=${isOver(value, card.thresholds ?? []) ? "value over" : "value"}
            d=${arc}
            stroke-dasharray=${`${share(value) * ARC} ${ARC}`}
          />`
        }
        ${(card.thresholds ?? []).map(
          (limit) =>
            html`<path
              key=${limit}
              class="limit"
              d=${`M ${pointAt(share(limit), 70)} L ${pointAt(share(limit), 90)}`}
            />`,
        )}
      </svg>
      <p><b>${text}</b> <span>${name}</span></p>
      <small>of ${written(most, unit)}</small>
    </div>
  `;
}

/** The lines of a card as rows, with their figures. @param {Shown} props */
export function TableBody({ card, model }) {
  const { lines } = model.drawn.value.data;
  return html`
    <div class="tile-table" tabindex="0" role="region" aria-label=${`Values of ${card.title}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">${card.unit || "Value"}</th>
          </tr>
        </thead>
        <tbody>
          ${lines.map(
            ({ name, figure: value }) => html`
              <tr key=${name}>
                <th scope="row">${name}</th>
                <td class=${isOver(value, card.thresholds ?? []) ? "over" : ""}>${written(value, card.unit ?? "")}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}
