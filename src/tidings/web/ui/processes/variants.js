import { html } from "../kit/html.js";
import { counted, number } from "../text/format.js";
import { share } from "./map-fold.js";
import { marked, narrow } from "./state.js";

/** The most frequent variants with their shares. One that is chosen is marked on the map. @param {{figures: import("./map-fold.js").Figures}} props */
export function Variants({ figures }) {
  const { top_variants: top, cases, variants } = figures;
  const most = Math.max(1, ...top.map((variant) => variant.cases));
  const keyOfTrace = (/** @type {readonly string[] | null} */ trace) => trace && JSON.stringify(trace);
  const chosen = keyOfTrace(marked.value);
  let sum = 0;
  for (const variant of top) sum += variant.cases;
  return html`
    <section aria-label="Variants">
      <p class="none">
        ${top.length < variants ? `The ${number(top.length)} most frequent of ${counted(variants, "variant")}` : counted(variants, "variant")}:
        ${" "}${share(sum, cases)} of ${counted(cases, "case")}.
      </p>
      <ol class="variants">
        ${top.map(({ trace, cases: here }) => {
          const key = /** @type {string} */ (keyOfTrace(trace));
          const is = key === chosen;
          return html`
            <li key=${key}>
              <button type="button" aria-pressed=${String(is)} onClick=${() => (marked.value = is ? null : trace)}>
                <span class="figure"><b>${counted(here, "case")}</b> ${share(here, cases)}</span>
                <progress max=${most} value=${here} aria-hidden="true" />
                <span class="trace" dir="auto">${shortened(trace).join(" \u2192 ")}</span>
              </button>
              ${
                is &&
                html`<button type="button" class="button only" onClick=${() => narrow({ kind: "variant", value: key })}>
                  Only these cases
                </button>`
              }
            </li>
          `;
        })}
      </ol>
    </section>
  `;
}

/** Activities of a trace that are written, from its beginning and from its end. */
const ENDS = 10;

/** A trace with what is between its ends counted. @param {readonly string[]} trace */
const shortened = (trace) =>
  trace.length <= 2 * ENDS + 1
    ? trace
    : [...trace.slice(0, ENDS), `${trace.length - 2 * ENDS} more`, ...trace.slice(-ENDS)];
