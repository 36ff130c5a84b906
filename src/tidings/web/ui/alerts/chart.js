import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { firedOf } from "../dashboards/episodes-fold.js";
import { SeriesBody, useModel } from "../dashboards/series-card.js";
import { html } from "../kit/html.js";
import { cardOf } from "./rule-fold.js";

/** The values that a rule judges, with its limit and what fired. @param {{rule: import("./rule-fold.js").Rule, episodes: readonly import("../dashboards/episodes-fold.js").Episode[]}} props */
export function RuleChart({ rule, episodes }) {
  // An edit of what the chart does not show leaves the chart alone.
  const card = useMemo(() => cardOf(rule), [JSON.stringify(cardOf(rule))]);
  const model = useModel(card);
  const off = useSignal(/** @type {readonly string[]} */ ([]));
  const text = JSON.stringify(episodes);
  const drawn = useMemo(() => firedOf("", card.title, episodes), [text, card]);
  const fired = useSignal(drawn);
  fired.value = drawn;
  return html`<div class="tile rule-chart">
    <div class="tile-body"><${SeriesBody} card=${card} model=${model} off=${off} fired=${fired} /></div>
  </div>`;
}
