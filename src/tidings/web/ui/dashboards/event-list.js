import { useEffect, useMemo, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { brief } from "../text/format.js";
import { eventsFeed, leave } from "./feeds-state.js";
import { stamp } from "./times.js";
import { paused } from "./view-state.js";

/** The last events of a card's topic, the last first. @param {{card: import("./document-fold.js").Card}} props */
export function EventList({ card }) {
  const topic = card.series?.[0]?.topic ?? "";
  const feed = useMemo(() => eventsFeed(topic), [topic]);
  useEffect(() => () => leave(feed), [feed]);
  /** The events of the moment when the pause began. */
  const shown = useRef(feed.events);
  if (!paused.value) {
    feed.version.value;
    shown.current = feed.events;
  }
  if (feed.status.value === "failed")
    return html`<div class="tile-state" role="alert">
      <p>${feed.reason.value}</p>
      <button type="button" class="button" onClick=${() => void feed.begin()}>Try again</button>
    </div>`;
  if (feed.status.value === "loading" && shown.current.length === 0)
    return html`<div class="tile-loading" role="status"><i /><i /><span class="visually-hidden">Loading</span></div>`;
  if (shown.current.length === 0)
    return html`<div class="tile-state">
      <p>No event in <code>${topic}</code> yet.</p>
    </div>`;
  return html`
    <div class="tile-table" tabindex="0" role="region" aria-label=${`Events of ${card.title}`}>
      <table class="events">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Type</th>
            <th scope="col">Data</th>
          </tr>
        </thead>
        <tbody>
          ${shown.current.map(
            ({ offset, time, type, data }) => html`
              <tr key=${offset}>
                <th scope="row">${stamp(time, 1)}</th>
                <td>${type}</td>
                <td><code>${brief(typeof data === "string" ? data : (JSON.stringify(data) ?? ""), 160)}</code></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}
