import { useEffect, useMemo, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { feedsOf, keyOf, leaveFeeds, modelOf } from "./card-state.js";
import { ChartBody } from "./chart-body.js";
import { Gauge, NumberBody, TableBody } from "./figures.js";
import { asTables } from "./view-state.js";

/** @typedef {import("./document-fold.js").Card} Card */
/** @typedef {import("./card-state.js").Model} Model */
/** @typedef {import("./episodes-fold.js").Fired} Fired */

/** Follow the series of a card while it is shown. @param {Card} card @returns {Model} */
export function useModel(card) {
  const key = keyOf(card);
  const feeds = useMemo(() => feedsOf(card), [key]);
  useEffect(() => () => leaveFeeds(feeds), [feeds]);
  const made = useMemo(() => modelOf(card, feeds), [feeds, card]);
  /** The model that was shown last: another span is read while it stays. */
  const last = useRef(made);
  if (made.status.value !== "loading") last.current = made;
  return last.current;
}

/**
 * The body of a card of series: its figures, or why there are none.
 * @param {object} props
 * @param {Card} props.card
 * @param {Model} props.model
 * @param {import("@preact/signals").Signal<readonly string[]>} props.off the names of the lines that were switched off
 * @param {import("@preact/signals").ReadonlySignal<readonly Fired[]>} props.fired
 */
export function SeriesBody({ card, model, off, fired }) {
  const status = model.status.value;
  if (status === "loading")
    return html`<div class="tile-loading" role="status"><i /><i /><span class="visually-hidden">Loading</span></div>`;
  if (status === "failed") return html`<${Failure} reason=${model.reason.value} retry=${model.retry} />`;
  if (status === "empty")
    return html`<${Empty} topic=${card.series?.[0]?.topic ?? ""} field=${card.series?.[0]?.field ?? ""} />`;
  if (status === "silent") return html`<div class="tile-state"><p>No events in this time.</p></div>`;
  if (card.kind === "number") return html`<${NumberBody} card=${card} model=${model} />`;
  if (card.kind === "gauge") return html`<${Gauge} card=${card} model=${model} />`;
  if (card.kind === "table") return html`<${TableBody} card=${card} model=${model} />`;
  return html`<${ChartBody} card=${card} model=${model} off=${off} fired=${fired} table=${asTables.value} />`;
}

/** @param {{reason: string, retry: () => void}} props */
const Failure = ({ reason, retry }) => html`
  <div class="tile-state" role="alert">
    <p><${Icon} name="circle-alert" class="red" /> ${reason}</p>
    <button type="button" class="button" onClick=${retry}>Try again</button>
  </div>
`;

/** The way to publish what the card would show. @param {{topic: string, field: string}} props */
function Empty({ topic, field }) {
  const value = field.split(".").reduceRight((/** @type {unknown} */ inner, name) => ({ [name]: inner }), 1);
  const data = field ? JSON.stringify(value) : "{}";
  return html`
    <div class="tile-state">
      <p>No event in <code>${topic}</code> yet. The chart begins with the first:</p>
      <pre><code>curl ${location.origin}/topics/${topic}/events -d '${data}'</code></pre>
    </div>
  `;
}
