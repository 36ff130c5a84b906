import { html, inPage } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { goAlert } from "../page/address.js";
import { serverRoot } from "../page/root.js";
import { counted, time } from "../text/format.js";
import { Silences } from "./silences.js";
import { StateChip } from "./state-chip.js";
import * as state from "./state.js";
import { Webhooks } from "./webhooks.js";
import { conditionOf, titleOf } from "./words-fold.js";

/** All rules, those first that fire, with the silences. */
export function AlertList() {
  const all = state.alerts.value;
  const failed = state.failed.value;
  return html`
    <div class="boards" id="composer" tabindex="0" role="region" aria-label="Alerts">
      <div class="boards-column alerts">
        <p>
          A rule watches the events of a topic. It tells people when something is wrong, and again when that is over.
        </p>
        ${
          failed &&
          html`<div class="tile-state" role="alert">
            <p>${failed.reason}</p>
            <button type="button" class="button" onClick=${() => void state.read()}>Try again</button>
          </div>`
        }
        ${!all && !failed && html`<p role="status">Loading alerts</p>`}
        ${all && html`<${Rules} rules=${all.rules} mayChange=${all.mayChange} />`}
        ${all && html`<${Silences} mayChange=${all.mayChange} rules=${all.rules} />`}
        ${all?.mayChange && html`<${Webhooks} />`}
      </div>
    </div>
  `;
}

/** The order of states in the list. */
const WORST = ["firing", "recovering", "broken", "no_data", "pending", "normal"];

/** @param {{rules: state.Summary[], mayChange: boolean}} props */
function Rules({ rules, mayChange }) {
  const rank = (/** @type {state.Summary} */ { state }) => WORST.indexOf(state);
  const sorted = rules.toSorted((a, b) => rank(a) - rank(b) || titleOf(a.rule).localeCompare(titleOf(b.rule)));
  return html`
    <section aria-label="Rules">
      <div class="alerts-head">
        <h2>Rules</h2>
        ${
          mayChange &&
          html`<button type="button" class="button primary" onClick=${() => goAlert("new")}>
            <${Icon} name="plus" />New rule
          </button>`
        }
      </div>
      ${rules.length === 0 && html`<p class="none">No rules yet.</p>`}
      <ul>
        ${sorted.map((one) => html`<${Row} key=${one.id} one=${one} />`)}
      </ul>
    </section>
  `;
}

/** @param {{one: state.Summary}} props */
function Row({ one }) {
  const { id, rule, instances } = one;
  const on = instances.filter(({ state }) => state === "firing" || state === "recovering");
  const named = on.map(({ instance }) => instance).filter(Boolean);
  const [first] = on.toSorted((a, b) => (a.began ?? 0) - (b.began ?? 0));
  const since = first?.began ? `since ${time(first.began)}` : "";
  const who = named.length > 3 ? counted(named.length + one.more, "instance") : named.join(", ");
  return html`
    <li>
      <a class="rule" href=${`${serverRoot}a/${id}`} onClick=${inPage(() => goAlert(id))}>
        <span class="named"><b dir="auto">${titleOf(rule)}</b><small>${rule.topic}: ${conditionOf(rule)}</small></span>
        ${on.length > 0 && html`<small>${[who, since].filter(Boolean).join(" ")}</small>`}
        ${on.some(({ silent }) => silent) && html`<span class="chip">Silent</span>`}
        ${on.length > 0 && on.every(({ acknowledged }) => acknowledged !== null) && html`<span class="chip">Acknowledged</span>`}
        <${StateChip} state=${one.state} paused=${rule.paused} />
      </a>
    </li>
  `;
}
