import { ConfirmDialog } from "../connection/dialog-form.js";
import { html } from "../kit/html.js";
import { Menu } from "../kit/menu.js";
import { PhoneHeader } from "../kit/phone-header.js";
import { goAlert, openAlert } from "../page/address.js";
import { compact, dialog, partTitle } from "../page/layout.js";
import { refusedAs } from "../toasts/state.js";
import { askForSilence } from "./silences.js";
import { StateChip } from "./state-chip.js";
import * as state from "./state.js";
import { titleOf } from "./words-fold.js";

/** The header of the list of alerts, of a rule, or of its form. @param {{bell: any}} props */
export function AlertHeader({ bell }) {
  const one = openAlert.value ? state.opened.value : null;
  const chip = one && !state.editing.value && html`<${StateChip} state=${one.state} paused=${one.rule.paused} />`;
  const items = one && state.alerts.value?.mayChange && !state.editing.value ? more(one) : [];
  if (compact.value) return html`<${PhoneHeader} title=${partTitle.value} about=${chip} items=${items}>${bell}<//>`;
  return html`
    <header class="page-header dashboard-header">
      <h1>${partTitle.value}</h1>
      ${chip}
      <span class="space" />
      ${items.length > 0 && html`<${Menu} icon="ellipsis" label="More" items=${items} />`}
    </header>
  `;
}

/** @param {state.Details} one @returns {import("../kit/menu.js").Item[]} */
function more(one) {
  const { id, rule } = one;
  const open = one.instances.some(({ episode, acknowledged }) => episode && acknowledged === null);
  return [
    { icon: "pencil", label: "Change", run: () => void (state.editing.value = true) },
    { icon: "bell-off", label: "Silence", run: () => askForSilence(one) },
    ...(open
      ? [
          {
            icon: "check-check",
            label: "Acknowledge all",
            run: () => void state.acknowledge(id, null, "").catch(refusedAs("Not acknowledged")),
          },
        ]
      : []),
    {
      icon: rule.paused ? "radio" : "pause",
      label: rule.paused ? "Resume" : "Pause",
      run: () => void state.turn(one).catch(refusedAs("Not saved")),
    },
    { icon: "trash-2", label: "Delete", danger: true, run: () => askToDelete(one) },
  ];
}

/** @param {state.Summary} one */
function askToDelete(one) {
  const run = async () => {
    await state.remove(one.id);
    goAlert("");
  };
  dialog.value = {
    kind: "drawn",
    draw: () =>
      html`<${ConfirmDialog} title="Delete rule" what=${titleOf(one.rule)} act="Delete" run=${run}>
        What fires is over, and its history goes out of the list.
      <//>`,
  };
}
