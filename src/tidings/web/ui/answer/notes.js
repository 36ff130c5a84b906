import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { session } from "../session/state.js";

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

/** @param {{error: {message: string, code: string} | null, onAgain?: () => void}} props */
export const FailedNote = ({ error, onAgain }) => html`
  <div class="note red">
    <${Icon} name="circle-x" />
    <div>
      <p><b>Run failed.</b> ${error?.message}</p>
      <p class="row">
        ${onAgain && html`<button type="button" class="button" onClick=${onAgain}>Retry</button>`}
        ${error?.code && html`<code>${error.code}</code>`}
      </p>
    </div>
  </div>
`;
