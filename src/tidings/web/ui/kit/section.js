import { fold, folded } from "../page/layout.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/**
 * A section of the side bar. A click on its heading folds it, which this device keeps. What matters of a folded section
 * may be drawn all the same: `children` is told if the section is folded.
 * @param {{name: string, action?: any, children: (folded: boolean) => any}} props `action`: a button beside the heading
 */
export function Section({ name, action, children }) {
  const is = folded.value.includes(name);
  return html`
    <section class="section" aria-label=${name}>
      <div class="section-head">
        <h2>
          <button type="button" aria-expanded=${String(!is)} onClick=${() => fold(name, !is)}>
            <${Icon} name=${is ? "chevron-right" : "chevron-down"} size=${14} />${name}
          </button>
        </h2>
        ${action}
      </div>
      ${children(is)}
    </section>
  `;
}
