import { useSignal } from "@preact/signals";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { safeHref } from "../text/element.js";
import { counted } from "../text/format.js";
import { shapeOf } from "./data-fold.js";

/** @typedef {import("./fold.js").Card} Card */
/** @typedef {import("./data-fold.js").Cell} DataCell */

/** The most cards in a row that are shown one by one. Of more, the last is shown, and the others are folded. */
const MOST = 3;

/** The name of data that has none: LangGraph's stream writer gives no names. */
const NAMELESS = "custom";

/** Data of the application that follows each other. @param {{cards: Card[]}} props */
export function Cards({ cards }) {
  const open = useSignal(false);
  const folded = cards.length > MOST;
  const shown = folded && !open.value ? cards.slice(-1) : cards;
  return html`
    <div class="cards">
      ${
        folded &&
        html`<div class="step">
          <button type="button" aria-expanded=${String(open.value)} onClick=${() => (open.value = !open.value)}>
            <${Icon} name=${open.value ? "chevron-down" : "chevron-right"} /><${Icon} name="list-tree" /><span
              >${counted(cards.length - 1, "earlier update")}</span
            >
          </button>
        </div>`
      }
      ${shown.map(({ id, name, value }) => html`<${Value} key=${id} value=${value} name=${name === NAMELESS ? "" : name} />`)}
    </div>
  `;
}

/**
 * A value as a card: a line, pairs, a table, or JSON.
 * @param {{value: unknown, name?: string, bare?: boolean}} props `bare`: without a frame, inside of another card
 */
export function Value({ value, name = "", bare = false }) {
  const shape = shapeOf(value, name);
  if (shape.shape === "line") {
    const line = [name, shape.text].filter(Boolean).join(": ");
    return html`<p class="data-line">${line}</p>`;
  }
  return html`
    <figure class=${bare ? "data" : "data framed"}>
      ${shape.title && html`<figcaption>${shape.title}</figcaption>`}
      ${shape.shape === "pairs" && html`<${PairList} shape=${shape} />`}
      ${shape.shape === "table" && html`<${Table} shape=${shape} />`}
      ${shape.shape === "json" && html`<${Json} shape=${shape} />`}
    </figure>
  `;
}

/** @param {{shape: import("./data-fold.js").Pairs}} props */
const PairList = ({ shape: { pairs, more } }) => html`
  <dl>
    ${pairs.map(
      ([name, cell]) =>
        html`<div key=${name}>
          <dt>${name}</dt>
          <dd><${Content} cell=${cell} /></dd>
        </div>`,
    )}
  </dl>
  ${more > 0 && html`<p class="more">and ${counted(more, "more field")}</p>`}
`;

/** @param {{shape: import("./data-fold.js").Table}} props */
const Table = ({ shape: { title, columns, rows, more } }) => html`
  <div class="scroll" tabindex="0" role="region" aria-label=${title || "Table"}>
    <table>
      <thead>
        <tr>
          ${columns.map((name, n) => html`<th key=${n} scope="col" class=${rows[0][n].number ? "figure" : ""}>${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row, n) =>
            html`<tr key=${n}>
              ${row.map((cell, m) => html`<td key=${m} class=${cell.number ? "figure" : ""}><${Content} cell=${cell} /></td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>
  ${more > 0 && html`<p class="more">and ${counted(more, "more row")}</p>`}
`;

/** @param {{shape: import("./data-fold.js").Json}} props */
function Json({ shape: { text, more } }) {
  return html`
    <details>
      <summary>JSON</summary>
      <pre tabindex="0">${text}</pre>
      ${more > 0 && html`<p class="more">and ${counted(more, "more character")}</p>`}
    </details>
  `;
}

/** @param {{cell: DataCell}} props */
function Content({ cell: { text, code, link } }) {
  const href = link ? safeHref(text) : null;
  if (href) return html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
  return code ? html`<code>${text}</code>` : text;
}
