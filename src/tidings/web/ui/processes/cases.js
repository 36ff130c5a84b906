import { useEffect, useMemo } from "preact/hooks";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { counted, number } from "../text/format.js";
import { paged } from "./cases-state.js";
import { span, stamp } from "./span-fold.js";
import { openCase } from "./state.js";

/** @typedef {import("./cases-state.js").FoundCase} FoundCase */
/** @typedef {import("./cases-state.js").Step} Step */

/**
 * The cases of an edge, or those that are at an activity.
 * @param {object} props
 * @param {string} props.path
 * @param {string} [props.title]
 * @param {string} props.order
 * @param {string} props.time the head of the column of durations
 * @param {number} props.now a figure that changes when the list is old
 */
export function CaseList({ path, title = "Cases", order, time, now }) {
  const { listed, more, begun } = useMemo(
    () => ({ .../** @type {ReturnType<typeof paged<FoundCase>>} */ (paged(path, "cases")), begun: now }),
    [path],
  );
  useEffect(() => void more(), [path]);
  const { state, rows, total, reason } = listed.value;
  return html`
    <section aria-label=${title}>
      <div class="cases-head">
        <h3>${title}</h3>
        <small>${order}</small>
      </div>
      ${
        rows.length > 0 &&
        html`<table class="cases">
          <thead>
            <tr>
              <th scope="col">Case</th>
              <th scope="col">Events</th>
              <th scope="col">${time}</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ({ case: id, seconds, times, events }) => html`
                <tr key=${id}>
                  <th scope="row">
                    <button type="button" class="link" dir="auto" onClick=${() => (openCase.value = id)}>${id}</button>
                  </th>
                  <td>${number(events)}</td>
                  <td title=${times > 1 ? `${times} times, this the longest` : ""}>
                    ${span(seconds)}${times > 1 && ` \u00d7${times}`}
                  </td>
                </tr>
              `,
            )}
          </tbody>
        </table>`
      }
      ${state === "ready" && rows.length === 0 && html`<p class="none">No case.</p>`}
      <${More} ...${{ state, reason, more, rest: total - rows.length, what: "case" }} />
      ${now !== begun && html`<p class="none">The map has changed since this list was read.</p>`}
    </section>
  `;
}

/** The events of a case, each with its offset. @param {{process: string, id: string}} props */
export function CaseEvents({ process, id }) {
  const path = `/processes/${process}/cases/${encodeURIComponent(id)}`;
  const { listed, more } = useMemo(() => /** @type {ReturnType<typeof paged<Step>>} */ (paged(path, "events")), [path]);
  useEffect(() => void more(), [path]);
  const { state, rows, total, reason } = listed.value;
  return html`
    <section aria-label="Events">
      <button type="button" class="quiet back" onClick=${() => (openCase.value = null)}>
        <${Icon} name="chevron-left" />Back
      </button>
      <h3 class="subject" dir="auto">${id}</h3>
      <p class="none">${state !== "loading" && counted(total, "event")}</p>
      <ol class="steps">
        ${rows.map(
          ({ offset, time, activity }, at) => html`
            <li key=${offset}>
              ${at > 0 && html`<small class="after">after ${span(time - rows[at - 1].time)}</small>`}
              <b dir="auto">${activity}</b>
              <small
                ><time datetime=${new Date(time * 1000).toISOString()}>${stamp(time)}</time>${" · "}<code
                  >${offset}</code
                ></small
              >
            </li>
          `,
        )}
      </ol>
      <${More} ...${{ state, reason, more, rest: total - rows.length, what: "event" }} />
    </section>
  `;
}

/** The way to the next page, or why there is none. @param {{state: string, reason: string, more: () => void, rest: number, what: string}} props */
function More({ state, reason, more, rest, what }) {
  if (state === "loading") return html`<p class="none" role="status">Loading</p>`;
  if (state === "failed")
    return html`<p class="error" role="alert">${reason}</p>
      <button type="button" class="button" onClick=${more}>Try again</button>`;
  return (
    rest > 0 && html`<button type="button" class="button" onClick=${more}>${counted(rest, `more ${what}`)}</button>`
  );
}
