import { useSignal } from "@preact/signals";
import { Failed, FormButtons, field, useSubmit } from "../connection/dialog-form.js";
import { Modal } from "../kit/dialog.js";
import { html, valueOf } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { dialog } from "../page/layout.js";
import { time } from "../text/format.js";
import { refusedAs } from "../toasts/state.js";
import { secondsOf } from "./rule-fold.js";
import * as state from "./state.js";
import { titleOf } from "./words-fold.js";

/** Choices of a silence's length. */
const LENGTHS = [
  ["3600", "1 hour"],
  ["14400", "4 hours"],
  ["86400", "1 day"],
  ["604800", "1 week"],
  ["", "Another time"],
];

/** The silences that hold now. @param {{mayChange: boolean, rules: state.Summary[]}} props */
export function Silences({ mayChange, rules }) {
  const title = (/** @type {string} */ id) => {
    const found = rules.find((rule) => rule.id === id);
    return found ? titleOf(found.rule) : "a deleted rule";
  };
  return html`
    <section aria-label="Silences">
      <div class="alerts-head">
        <h2>Silences</h2>
        ${
          mayChange &&
          html`<button type="button" class="button" onClick=${() => askForSilence(null)}>
            <${Icon} name="bell-off" />New silence
          </button>`
        }
      </div>
      ${state.silences.value.length === 0 && html`<p class="none">No silences. A silence stops notices until its end.</p>`}
      <ul>
        ${state.silences.value.map(
          ({ id, until, why, by, rules: ids, instances }) => html`
            <li key=${id} class="rule">
              <span class="named">
                <b dir="auto"
                  >${ids ? ids.map(title).join(", ") : "All rules"}${instances && `: ${instances.join(", ")}`}</b
                >
                <small>${[`until ${time(until)}`, by && `by ${by}`, why].filter(Boolean).join(" \u00b7 ")}</small>
              </span>
              ${
                mayChange &&
                html`<button
                  type="button"
                  class="button"
                  onClick=${() => state.unsilence(id).catch(refusedAs("Silence not ended"))}
                >
                  End
                </button>`
              }
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}

/** Ask how long, and why, to be silent. @param {state.Summary | null} rule null: for all rules */
export const askForSilence = (rule) =>
  void (dialog.value = { kind: "drawn", draw: () => html`<${SilenceForm} rule=${rule} />` });

/** @param {{rule: state.Summary | null}} props */
function SilenceForm({ rule }) {
  const length = useSignal("3600");
  const doing = useSubmit((form) => {
    const seconds = secondsOf(length.value || field(form, "time"), "length");
    const named = field(form, "instances")
      .split(/[,;]/)
      .map((name) => name.trim())
      .filter(Boolean);
    const instances = named.length > 0 ? named : null;
    return state.silence({ seconds, why: field(form, "why"), rules: rule && [rule.id], instances });
  });
  return html`
    <${Modal} title=${rule ? `Silence ${titleOf(rule.rule)}` : "Silence all rules"}>
      <form onSubmit=${doing.go}>
        <p>Nobody is told until the silence ends. What still fires then is told.</p>
        <label class="field"
          ><span>For</span
          ><select
            data-first
            value=${length.value}
            onChange=${(/** @type {Event} */ event) => (length.value = valueOf(event))}
          >
            ${LENGTHS.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}
          </select></label
        >
        ${
          !length.value &&
          html`<label class="field"
            ><span>Time</span><input name="time" required placeholder="90 min, 12 h, 3 d"
          /></label>`
        }
        ${
          rule?.rule.by &&
          html`<label class="field"
            ><span>Only these (${rule.rule.by})</span><input name="instances" placeholder="all of them"
          /></label>`
        }
        <label class="field"><span>Reason</span><input name="why" maxlength="500" placeholder="Deploy" /></label>
        <${Failed} doing=${doing} />
        <${FormButtons} act="Silence" busy=${doing.busy} />
      </form>
    <//>
  `;
}
