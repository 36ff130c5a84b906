import { useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { compact } from "../page/layout.js";
import { counted, number } from "../text/format.js";
import { askForFilter } from "./filter-dialog.js";
import { inWords } from "./filters-fold.js";
import { conditions, filter, process, readAgain, setConditions } from "./state.js";

/** The conditions of the filter, each with a button that takes it away, and the number of cases that meet them all. */
export function FilterBar() {
  const clear = useRef(/** @type {HTMLElement | null} */ (null));
  const all = conditions.value;
  if (all.length === 0) return null;
  const set = (/** @type {typeof all} */ next) => {
    // The button that was used goes away, and the focus with it.
    (next.length > 0 ? clear.current : document.getElementById("composer"))?.focus();
    setConditions(next);
  };
  return html`
    <div class="filter-bar" role="group" aria-label="Filter">
      ${
        (compact.value || process.value.status !== "ready") &&
        html`<button type="button" class="quiet" aria-haspopup="dialog" onClick=${askForFilter}>
          <${Icon} name="plus" />Filter
        </button>`
      }
      <ul>
        ${all.map((condition) => {
          const words = inWords(condition);
          return html`
            <li key=${`${condition.kind}\0${condition.value}`} class="chip" title=${condition.value}>
              <span dir="auto">${words}</span>
              <button
                type="button"
                aria-label=${`Remove: ${words}`}
                onClick=${() => set(all.filter((one) => one !== condition))}
              >
                <${Icon} name="x" />
              </button>
            </li>
          `;
        })}
      </ul>
      <button type="button" class="quiet" ref=${clear} onClick=${() => set([])}>Clear</button>
      <${Selected} />
    </div>
  `;
}

/** The number of cases that meet the filter, or why it is not known. */
function Selected() {
  const { figures, filter: shown, reason } = process.value;
  if (shown !== filter.value && reason && figures)
    return html`<span class="selected error" role="alert"
      >Not filtered: ${reason} <button type="button" class="link" onClick=${readAgain}>Try again</button></span
    >`;
  const known = shown === filter.value && figures?.whole;
  // The header shows the number of cases; here it is for those who hear the page.
  return html`<span class=${known ? "selected visually-hidden" : "selected"} role="status"
    >${known ? `${number(figures.cases)} of ${counted(known.cases, "case")}` : reason ? "" : "Selecting cases"}</span
  >`;
}
