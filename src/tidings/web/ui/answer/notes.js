import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { session } from "../session/state.js";
import { duration } from "../text/format.js";

/** @param {{by: string | null}} props */
export function StoppedNote({ by }) {
  const who = by === null || by === session.value?.name ? "you" : by;
  return html`
    <div class="note">
      <${Icon} name="circle-stop" />
      <p><b>Stopped by ${who}.</b> The text so far is kept.</p>
    </div>
  `;
}

/** @param {{onAgain?: () => void}} props */
export const InterruptedNote = ({ onAgain }) => html`
  <div class="note amber">
    <${Icon} name="unplug" />
    <div>
      <p>
        <b>Interrupted.</b> The process that wrote this answer went away. The text so far is kept; it is not complete.
      </p>
      ${onAgain && html`<button type="button" class="button" onClick=${onAgain}>Start again</button>`}
    </div>
  </div>
`;

/** @type {Record<string, string>} */
const CUTS = {
  length: "The answer reached the length limit of its model. It is not complete.",
  content_filter: "The model refused to say more, or a filter cut its answer.",
};

/** A note for an answer that its model has ended early. @param {{finish: string | null}} props */
export const CutNote = ({ finish }) =>
  CUTS[finish ?? ""] &&
  html`
    <div class="note amber">
      <${Icon} name="scissors" />
      <p><b>Cut short.</b> ${CUTS[finish ?? ""]}</p>
    </div>
  `;

/** @param {number} seconds */
const pause = (seconds) => (seconds < 60 ? `${Math.ceil(seconds)}\u00a0s` : duration(seconds));

/** @param {{error: import("./fold.js").Failure | null, onAgain?: () => void}} props */
export const FailedNote = ({ error, onAgain }) => html`
  <div class="note red">
    <${Icon} name="circle-x" />
    <div>
      <p>
        <b>${error?.code === "refused" ? "Refused." : "Run failed."}</b> ${error?.message}${
          error?.retryAfter ? ` Wait ${pause(error.retryAfter)} first.` : ""
        }
      </p>
      <p class="row">
        ${onAgain && error?.retryable && html`<button type="button" class="button" onClick=${onAgain}>Retry</button>`}
        ${error?.code && html`<code>${error.code}</code>`}
      </p>
    </div>
  </div>
`;
