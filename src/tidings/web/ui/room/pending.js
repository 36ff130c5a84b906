import { connectionStatus } from "../connection/state.js";
import { Files } from "../files/files.js";
import { copying } from "../kit/copy.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Written } from "../kit/markdown.js";
import { discard, retry, sending, slowed } from "../outbox/state.js";
import { Message, SentTime } from "../kit/message.js";
import { Person } from "../people/person.js";
import { ordinal } from "../text/format.js";
import { Quote } from "./message.js";
import { messages } from "./outbox-state.js";

/**
 * A message that is not in the room's log yet: being sent, waiting, or refused.
 * @param {object} props
 * @param {import("./state.js").Room} props.room
 * @param {import("./outbox-state.js").PendingMessage} props.pending
 */
export function RoomPending({ room, pending }) {
  const { key, by, text, time, quote, files = [], refused } = pending;
  const at = messages.value.findIndex((one) => one.key === key);
  const waits = at !== -1 && !refused && (connectionStatus.value === "lost" || connectionStatus.value === "connecting");
  const isSending = (sending.value.has(key) || at === -1) && !waits;
  const behind = messages.value.slice(0, Math.max(0, at)).some((one) => one.lane === pending.lane && one.refused);
  const asked = slowed.get(key);
  const called = { names: [...Object.keys(room.about.value?.members ?? {}), "assistant"], me: by };
  const erase = html`<button type="button" class="link" onClick=${() => discard(key)}>Delete</button>`;
  return html`
    <${Message}
      kind=${refused ? "said" : "said pale"}
      aria-label=${`Message by ${by}`}
      gutter=${html`<${Person} name=${by} me />`}
      byline=${html`<b>${by}</b><${SentTime} at=${time} />${isSending && html`<span>sending</span>`}`}
    >
      ${quote && html`<${Quote} room=${room} quote=${quote} />`}
      ${text && html`<${Written} text=${text} mentions=${called} />`}
      ${files.length > 0 && html`<${Files} place=${`rooms/${room.id}`} files=${files} />`}
      ${waits && html`<${Waits} icon="clock">Waiting for connection (${ordinal(at + 1)} in line) ${erase}<//>`}
      ${!waits && asked && !refused && html`<${Waits} icon="clock">Waiting: ${asked} ${erase}<//>`}
      ${!waits && behind && !refused && html`<${Waits} icon="clock">Waiting for the message above ${erase}<//>`}
      ${
        refused &&
        html`<${Waits} icon="circle-alert" refused>
          Not sent: ${refused}
          <button type="button" class="link" onClick=${() => retry(key)}>Retry</button>
          ${text && html`<button type="button" class="link" onClick=${copying(text)}><span>Copy text</span></button>`}
          ${erase}
        <//>`
      }
    <//>
  `;
}

/** @param {{icon: string, refused?: boolean, children: any}} props */
const Waits = ({ icon, refused = false, children }) => html`
  <p class=${refused ? "waits refused" : "waits"}><${Icon} name=${icon} size=${14} />${children}</p>
`;
