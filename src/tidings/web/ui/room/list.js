import { IconButton } from "../kit/button.js";
import { html, inPage } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { goRoom, openRoom } from "../page/address.js";
import { dialog, signingIn } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { joined, rooms, roomsListed } from "../rooms/state.js";
import { session } from "../session/state.js";
import { messages } from "./outbox-state.js";

/** The rooms in the side bar: the person's rooms, and the open one. */
export function RoomList() {
  const browse = () => {
    dialog.value = { kind: "rooms" }; // it opens after a name was chosen
    if (session.value && !session.value.name) signingIn.value = true;
  };
  return html`
    <div class="section">
      <h2>Rooms</h2>
      <${IconButton} icon="plus" label="Browse or create rooms" size=${16} onClick=${browse} />
    </div>
    <${List} />
  `;
}

function List() {
  const mine = joined(rooms.value);
  const here = rooms.value.find((room) => room.id === openRoom.value && !mine.includes(room));
  const all = here ? [...mine, here] : mine;
  if (all.length === 0)
    return roomsListed.value || !session.value?.name ? html`<p class="none">No rooms yet.</p>` : null;
  return html`<ul>
    ${all.map((room) => html`<li key=${room.id}><${Item} room=${room} /></li>`)}
  </ul>`;
}

/** @param {{room: import("../rooms/fold.js").Summary}} props */
function Item({ room }) {
  const { id, name, unread, mentions } = room;
  const current = openRoom.value === id;
  const waits = messages.value.some(({ lane }) => lane === `rooms.${id}`);
  return html`
    <a
      class=${unread > 0 && !current ? "item unread" : "item"}
      href=${`${serverRoot}r/${id}`}
      aria-current=${current ? "page" : undefined}
      onClick=${inPage(() => goRoom(id))}
    >
      <${Icon} name=${room.archived ? "archive" : room.private ? "lock" : "hash"} /><span>${name}</span>
      ${waits && html`<i class="dot hollow" role="img" aria-label="a message waits to be sent" />`}
      ${unread > 0 && !current && html`<${Badge} count=${unread} mine=${mentions > 0} />`}
    </a>
  `;
}

/** @param {{count: number, mine: boolean}} props `mine`: the person is mentioned */
const Badge = ({ count, mine }) => html`
  <b class=${mine ? "badge mine" : "badge"} aria-label=${`${count > 99 ? "more than 99" : count} unread`}>
    ${count > 99 ? "99+" : count}
  </b>
`;
