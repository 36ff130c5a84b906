import { serverTime } from "../connection/state.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { time } from "../text/format.js";
import { labelOf, notifications, quietUntil, setQuiet, unmute } from "./state.js";

/** The menu for Do not disturb and for muted topics. */
export function Quiet() {
  const until = quietUntil.value;
  const { muted } = notifications.value;
  return html`
    <${Menu} icon="settings-2" label="Do not disturb">
      <div class="quiet-settings">
        <h3>Do not disturb</h3>
        ${
          until === null
            ? html`
                <button type="button" class="row" onClick=${() => setQuiet(serverTime() + 3600)}>
                  <${Icon} name="clock" />For an hour
                </button>
                <button type="button" class="row" onClick=${() => setQuiet(tomorrow())}>
                  <${Icon} name="moon" />Until tomorrow
                </button>
              `
            : html`
                <p>On until ${time(until)}. Unread counts still update.</p>
                <button type="button" class="row" onClick=${() => setQuiet(null)}>
                  <${Icon} name="bell" />Turn off
                </button>
              `
        }
      </div>
      <div class="quiet-settings">
        <h3>Muted</h3>
        ${muted.length === 0 && html`<p>Nothing is muted. You always get mentions.</p>`}
        ${muted.map(
          (topic) =>
            html`<button
              type="button"
              class="row"
              aria-label=${`Unmute ${labelOf(topic)}`}
              onClick=${() => unmute(topic)}
            >
              <${Icon} name="bell-off" /><span>${labelOf(topic)}</span><small>Unmute</small>
            </button>`,
        )}
      </div>
    <//>
  `;
}

/** Eight o'clock tomorrow morning, local time, in Unix seconds. */
function tomorrow() {
  const at = new Date();
  at.setDate(at.getDate() + 1);
  return at.setHours(8, 0, 0, 0) / 1000;
}
