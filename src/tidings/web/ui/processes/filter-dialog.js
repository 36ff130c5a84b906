import { useSignal } from "@preact/signals";
import { Modal, close } from "../kit/dialog.js";
import { html, valueOf } from "../kit/html.js";
import { dialog } from "../page/layout.js";
import { counted } from "../text/format.js";
import { period } from "./filters-fold.js";
import { narrow, process } from "./state.js";

/** @typedef {import("./filters-fold.js").Condition} Condition */

const KINDS = {
  with: "with an activity",
  without: "without an activity",
  variant: "of variants",
  time: "within a period",
  attribute: "with a field",
};

/** Open the dialog that adds a condition to the filter. */
export const askForFilter = () => void (dialog.value = { kind: "drawn", draw: () => html`<${FilterDialog} />` });

/** The dialog that adds a condition to the filter of a map. */
function FilterDialog() {
  const kind = useSignal(/** @type {keyof typeof KINDS} */ ("with"));
  const error = useSignal("");
  const add = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const found = conditionsIn(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)));
    if (typeof found === "string") return void (error.value = found);
    close();
    narrow(...found);
  };
  return html`
    <${Modal} title="Filter">
      <form onSubmit=${add}>
        <label class="field">
          <span>Only cases</span>
          <select
            name="kind"
            data-first
            value=${kind.value}
            onChange=${(/** @type {Event} */ event) => {
              kind.value = /** @type {keyof typeof KINDS} */ (valueOf(event));
              error.value = "";
            }}
          >
            ${Object.entries(KINDS).map(([value, text]) => html`<option value=${value}>${text}</option>`)}
          </select>
        </label>
        <${Fields} kind=${kind.value} />
        <p class="error" role="alert">${error.value}</p>
        <div class="choices">
          <button type="button" class="button" onClick=${close}>Cancel</button>
          <button type="submit" class="button primary">Filter</button>
        </div>
      </form>
    <//>
  `;
}

/** @param {{kind: keyof typeof KINDS}} props */
function Fields({ kind }) {
  const { figures } = process.value;
  if (kind === "time")
    return html`
      <div class="filter-pair">
        <label class="field"
          ><span>From</span><input type="date" name="since" min="1900-01-01" max="2199-12-30"
        /></label>
        <label class="field"
          ><span>Until</span><input type="date" name="until" min="1900-01-01" max="2199-12-30"
        /></label>
      </div>
      <p>All events of a case lie in the period. Both days are part of it.</p>
    `;
  if (kind === "attribute")
    return html`
      <div class="filter-pair">
        <label class="field"
          ><span>Field</span><input name="field" required maxlength="200" pattern="[^=]+" placeholder="resource"
        /></label>
        <label class="field"><span>Value</span><input name="value" maxlength="4000" /></label>
      </div>
      <p>An event of the case has exactly this value.</p>
    `;
  if (kind === "variant")
    return html`
      <fieldset class="filter-variants">
        <legend>Variants</legend>
        ${figures?.top_variants.map(
          ({ trace, cases }) => html`
            <label key=${trace.join("\0")}>
              <input type="checkbox" name="variant" value=${JSON.stringify(trace)} />
              <span><b>${counted(cases, "case")}</b> <span dir="auto">${trace.join(" \u2192 ")}</span></span>
            </label>
          `,
        )}
      </fieldset>
    `;
  const activities = [...(figures?.activities ?? [])].sort((a, b) => b.cases - a.cases);
  return html`
    <label class="field">
      <span>Activity</span>
      <select name="activity" required>
        ${activities.map(
          ({ activity, cases }) =>
            html`<option key=${activity} value=${activity}>${activity} (${counted(cases, "case")})</option>`,
        )}
      </select>
    </label>
  `;
}

/**
 * The conditions of the form.
 * @param {FormData} form
 * @returns {Condition[] | string} the reason for which there are none
 */
function conditionsIn(form) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "");
  const kind = text("kind");
  if (kind === "with" || kind === "without") return [{ kind, value: text("activity") }];
  if (kind === "attribute") return [{ kind, value: `${text("field")}=${text("value")}` }];
  if (kind === "variant") {
    const chosen = form
      .getAll("variant")
      .map((value) => ({ kind: /** @type {"variant"} */ (kind), value: String(value) }));
    return chosen.length > 0 ? chosen : "Choose at least one variant.";
  }
  const [first, last] = [text("since"), text("until")];
  if (!first && !last) return "Choose the first or the last day.";
  return first && last && last < first ? "The last day is before the first." : period(first, last);
}
