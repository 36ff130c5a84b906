import { pinning, pins } from "../conversation/list-state.js";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Item } from "../kit/item.js";
import { Section } from "../kit/section.js";
import { muting } from "../notifications/mute.js";
import { isMuted } from "../notifications/state.js";
import { goRoom, openRoom } from "../page/address.js";
import { dialog, signingIn } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { joined, rooms, roomsListed } from "../rooms/state.js";
import { session } from "../session/state.js";
import { signOf } from "./header.js";
import { messages } from "./outbox-state.js";

/** Open a dialog about rooms, which needs a name. @param {import("../page/layout.js").Dialog} which */
export function askAboutRooms(which) {
  dialog.value = which; // it opens after a name was chosen
  if (session.value && !session.value.name) signingIn.value = true;
}

/**
 * The items of a section: all its rooms, or of a folded one those that are open or unread. Null: there are none.
 * @param {import("../rooms/fold.js").Rooms} all
 * @param {boolean} folded
 */
function items(all, folded) {
  const shown = folded ? all.filter(({ id, unread }) => id === openRoom.value || unread > 0) : all;
  if (shown.length === 0) return null;
  return html`<ul>
    ${shown.map((room) => html`<li key=${room.id}><${RoomItem} room=${room} /></li>`)}
  </ul>`;
}

/** The direct messages in the side bar. */
export function DirectList() {
  const all = joined(rooms.value).filter(({ id, direct }) => direct && !pins.value.includes(`rooms.${id}`));
  const begin = () => askAboutRooms({ kind: "direct-new" });
  return html`
    <${Section}
      name="Direct messages"
      action=${html`<${IconButton} icon="plus" label="New direct message" size=${16} onClick=${begin} />`}
    >
      ${(/** @type {boolean} */ folded) => items(all, folded)}
    <//>
  `;
}

/** The rooms in the side bar: the person's rooms, and the open one. */
export function RoomList() {
  const mine = joined(rooms.value).filter(({ direct }) => !direct);
  const here = rooms.value.filter((room) => room.id === openRoom.value && !room.direct && !mine.includes(room));
  const all = [...mine, ...here].filter(({ id }) => !pins.value.includes(`rooms.${id}`));
  const browse = () => askAboutRooms({ kind: "rooms" });
  return html`
    <${Section}
      name="Rooms"
      action=${html`<${IconButton} icon="plus" label="Browse or create rooms" size=${16} onClick=${browse} />`}
    >
      ${(/** @type {boolean} */ folded) => {
        const shown = items(all, folded);
        if (shown) return shown;
        if (folded || mine.length > 0 || !(roomsListed.value || !session.value?.name)) return null;
        return html`<p class="none">
          No rooms yet ·${" "}
          <button type="button" class="link" onClick=${() => askAboutRooms({ kind: "room-new", name: "" })}>
            Create one
          </button>
        </p>`;
      }}
    <//>
  `;
}

/** A room in the side bar. @param {{room: import("../rooms/fold.js").Summary}} props */
export function RoomItem({ room }) {
  const { id, name, unread, mentions, role, archived, direct } = room;
  const topic = `rooms.${id}`;
  const current = openRoom.value === id;
  const waits = messages.value.some(({ lane }) => lane === topic);
  const items = [
    pinning(topic),
    ...muting(topic),
    ...(role === "owner" && !archived
      ? [{ icon: "pencil", label: "Rename", run: () => void (dialog.value = { kind: "room-edit", room: id }) }]
      : []),
    ...(role !== null && !archived && !direct
      ? [
          {
            icon: "door-open",
            label: "Leave",
            danger: true,
            run: () => void (dialog.value = { kind: "room-leave", room: id }),
          },
        ]
      : []),
  ];
  return html`
    <${Item}
      href=${`${serverRoot}r/${id}`}
      icon=${signOf(room)}
      label=${name}
      current=${current}
      unread=${unread > 0 && !current}
      onOpen=${() => goRoom(id)}
      items=${items}
    >
      ${isMuted(topic) && html`<${Icon} name="bell-off" size=${14} /><span class="visually-hidden">, muted</span>`}
      ${waits && html`<i class="dot hollow" role="img" aria-label="message not sent yet" />`}
      ${unread > 0 && !current && html`<${Badge} count=${unread} mine=${mentions > 0} />`}
    <//>
  `;
}

/** @param {{count: number, mine: boolean}} props `mine`: the person is mentioned */
const Badge = ({ count, mine }) => html`
  <b class=${mine ? "badge mine" : "badge"} aria-label=${`${count > 99 ? "more than 99" : count} unread`}>
    ${count > 99 ? "99+" : count}
  </b>
`;
