import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Nothing } from "../kit/nothing.js";
import { go } from "../page/address.js";
import { dialog, signingIn } from "../page/layout.js";
import { session } from "../session/state.js";
import { trouble } from "./actions-state.js";
import { RoomComposer } from "./composer.js";
import { RoomLog } from "./log.js";
import { shownRoom } from "./shown-state.js";

/** The open room: its log and its composer. */
export function RoomPage() {
  const room = shownRoom.value;
  if (!room) return null;
  const { status, reason } = room;
  if (status.value === "missing") {
    return html`
      <${Nothing} title="Room not found" text="It may have been deleted, or the link is incomplete."><${Ways} /><//>
    `;
  }
  if (status.value === "refused") {
    const nameless = session.value && !session.value.name;
    return html`
      <${Nothing} title="You can't open this room" text=${reason.value}>
        ${
          nameless &&
          html`<button type="button" class="button primary" onClick=${() => (signingIn.value = true)}>
            Choose a name
          </button>`
        }
        <${Ways} />
      <//>
    `;
  }
  return html`
    <${RoomLog} key=${room.id} room=${room} />
    ${trouble.value && html`<${Trouble} />`}
    <${RoomComposer} key=${`write-${room.id}`} room=${room} />
  `;
}

/** Ways on from a room that cannot be shown. */
const Ways = () => html`
  <button type="button" class="button" onClick=${() => (dialog.value = { kind: "rooms" })}>Browse rooms</button>
  <button type="button" class="button" onClick=${() => go(null)}>New conversation</button>
`;

const Trouble = () => html`
  <p class="trouble" role="alert">
    <${Icon} name="circle-alert" size=${14} /><span>${trouble.value}</span>
    <${IconButton} icon="x" label="Close" size=${14} onClick=${() => (trouble.value = "")} />
  </p>
`;
