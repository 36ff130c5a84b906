import { useEffect } from "preact/hooks";
import { Failed, FormButtons, field, useSubmit } from "../connection/dialog-form.js";
import { episodesOf } from "../dashboards/episodes-fold.js";
import { showRange, zoomTo } from "../dashboards/view-state.js";
import { serverTime } from "../connection/state.js";
import { Modal } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { Nothing } from "../kit/nothing.js";
import { goAlert } from "../page/address.js";
import { dialog } from "../page/layout.js";
import { fullTime, number, time } from "../text/format.js";
import { RuleChart } from "./chart.js";
import { StateChip } from "./state-chip.js";
import * as state from "./state.js";
import { conditionOf, entryOf } from "./words-fold.js";

/** Seconds that the chart shows, and those around the time that a notice leads to. */
const SHOWN = 3600;
const AROUND = 1800;

/** The open rule: its values, its instances, and what has happened. */
export function RulePage() {
  useEffect(() => {
    showRange(SHOWN);
    const at = Number(new URLSearchParams(location.search).get("at"));
    if (at > 0 && at < serverTime() - SHOWN) zoomTo(at - AROUND, at + AROUND);
  }, []);
  const failed = state.failed.value;
  const one = state.opened.value;
  const all = html`<button type="button" class="button primary" onClick=${() => goAlert("")}>All alerts</button>`;
  if (failed?.missing)
    return html`<${Nothing} title="Rule not found" text="It may have been deleted, or the link is incomplete."
      >${all}<//
    >`;
  if (failed && !one)
    return html`<${Nothing} title="Rule not shown" text=${failed.reason}>
      <button type="button" class="button primary" onClick=${() => void state.read()}>Try again</button>${all}
    <//>`;
  if (!one) return html`<div class="boards" id="composer" tabindex="0"><p role="status">Loading the rule</p></div>`;
  const transitions = one.history.filter(({ type }) => type === "alert.changed").map(({ fact }) => fact);
  return html`
    <div class="boards" id="composer" tabindex="0" role="region" aria-label="Alert">
      <div class="boards-column alerts">
        <p><code>${one.rule.topic}</code>: ${conditionOf(one.rule)}</p>
        ${one.bad > 0 && html`<p class="amber">${number(one.bad)} events had no number, and were not judged.</p>`}
        <${RuleChart} rule=${one.rule} episodes=${episodesOf(transitions)} />
        <${Now} one=${one} />
        <${History} one=${one} />
      </div>
    </div>
  `;
}

/** The instances that are not normal. @param {{one: state.Details}} props */
function Now({ one }) {
  if (one.instances.length === 0) return null;
  const mayChange = state.alerts.value?.mayChange ?? false;
  return html`
    <section aria-label="Now">
      <div class="alerts-head"><h2>Now</h2></div>
      <ul>
        ${one.instances.map(
          (instance) => html`
            <li key=${instance.instance} class="rule">
              <span class="named">
                <b dir="auto">${instance.instance || (instance.state === "broken" ? "All values" : one.rule.topic)}</b>
                <small>${aboutOf(instance)}</small>
              </span>
              <${StateChip} state=${instance.state} />
              ${
                mayChange &&
                instance.episode &&
                instance.acknowledged === null &&
                html`<button type="button" class="button" onClick=${() => askToAcknowledge(one, instance)}>
                  Acknowledge
                </button>`
              }
            </li>
          `,
        )}
      </ul>
      ${one.more > 0 && html`<p class="none">And ${number(one.more)} more.</p>`}
    </section>
  `;
}

/** @param {state.Instance} instance */
function aboutOf({ value, since, began, acknowledged, note, silent }) {
  const parts = [
    value === null ? "" : `value ${number(value)}`,
    `since ${time(began ?? since)}`,
    acknowledged === null ? "" : `acknowledged${acknowledged && ` by ${acknowledged}`}${note && `: ${note}`}`,
    silent === null ? "" : `silent until ${time(silent)}`,
  ];
  return parts.filter(Boolean).join(" \u00b7 ");
}

/** @param {state.Summary} one @param {state.Instance} instance */
const askToAcknowledge = (one, instance) =>
  void (dialog.value = { kind: "drawn", draw: () => html`<${Acknowledge} one=${one} instance=${instance} />` });

/** @param {{one: state.Summary, instance: state.Instance}} props */
function Acknowledge({ one, instance }) {
  const doing = useSubmit((form) =>
    state.acknowledge(one.id, instance.episode ? [instance.episode] : null, field(form, "note")),
  );
  return html`
    <${Modal} title="Acknowledge">
      <form onSubmit=${doing.go}>
        <p>The others see that you take care. Nobody is told of this again before it is over.</p>
        <label class="field"
          ><span>Note</span><input name="note" maxlength="500" placeholder="Looking at it" data-first
        /></label>
        <${Failed} doing=${doing} />
        <${FormButtons} act="Acknowledge" busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** The last transitions, notices and edits, the last first. @param {{one: state.Details}} props */
function History({ one }) {
  const rows = one.history.map((entry) => ({ ...entryOf(entry), offset: entry.offset, at: entry.time }));
  return html`
    <section aria-label="History">
      <div class="alerts-head"><h2>History</h2></div>
      <table class="history">
        <thead class="visually-hidden">
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Event</th>
            <th scope="col">About</th>
          </tr>
        </thead>
        <tbody>
          ${rows.toReversed().map(
            ({ offset, at, what, about }) => html`
              <tr key=${offset}>
                <td><time title=${fullTime(at)}>${time(at)}</time></td>
                <td>${what}</td>
                <td dir="auto">${about}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </section>
  `;
}
