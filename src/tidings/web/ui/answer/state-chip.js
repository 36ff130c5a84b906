import { connectionStatus } from "../connection/state.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { duration } from "../text/format.js";
import { isLive, openRequests, textOf } from "./fold.js";

/** @typedef {import("./fold.js").Run} Run */

/** @type {Record<import("./fold.js").State, string>} */
const LABELS = {
  unread: "Reading",
  waiting: "Waiting",
  streaming: "Streaming",
  finished: "Finished",
  stopped: "Stopped",
  interrupted: "Interrupted",
  failed: "Failed",
};

/** Check if what is known of a run may be old, because the server is away. @param {Run} run */
export const isCut = (run) => isLive(run) && connectionStatus.value === "lost";

/** @param {Run} run */
export function label(run) {
  if (isCut(run)) return "Reconnecting";
  return openRequests(run).length > 0 ? "Needs an answer" : LABELS[run.state];
}

/** @param {Run} run */
export const wordsOf = (run) => textOf(run).split(/\s+/).filter(Boolean).length;

/** The duration of a run; null until it has ended. @param {Run} run */
export const took = (run) => (run.started !== null && run.ended !== null ? duration(run.ended - run.started) : null);

/** @type {Record<string, string>} */
const FINISHES = { stop: "finished", length: "cut at the length limit", content_filter: "cut by a filter" };

/** The reason why a finished run ended. @param {Run} run */
export const finishOf = (run) => FINISHES[run.finish ?? "stop"] ?? "finished";

/** @type {Record<string, string>} */
const ICONS = { stopped: "circle-stop", interrupted: "unplug", failed: "circle-x" };

/** The state of a run, as a word with an icon. @param {{run: Run}} props */
export function StateChip({ run }) {
  const asks = openRequests(run).length > 0;
  const icon = asks ? "circle-help" : ICONS[run.state];
  return html`
    <span class="chip" data-state=${isCut(run) ? "cut" : run.state}>
      ${isLive(run) && !asks ? html`<i class=${isCut(run) ? "dot hollow" : "dot"} />` : icon && html`<${Icon} name=${icon} size=${14} />`}${label(run)}
    </span>
  `;
}
