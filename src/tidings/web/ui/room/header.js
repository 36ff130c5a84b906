import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { PhoneHeader } from "../kit/phone-header.js";
import { Bell } from "../notifications/bell.js";
import { MutedButton, levels } from "../notifications/mute.js";
import { isMuted } from "../notifications/state.js";
import { asideOpen, chosenRun, compact, dialog, openAside, wide } from "../page/layout.js";
import { Person } from "../people/person.js";
import { here, isHere, known } from "../people/state.js";
import { counted } from "../text/format.js";
import { archive, trouble } from "./actions-state.js";
import { roomTitle, shownRoom } from "./shown-state.js";

/** The most avatars in the header. */
const MOST = 3;

/** The header of the open room: its name, the people present, and its menu. */
export function RoomHeader() {
  const room = /** @type {import("./state.js").Room} */ (shownRoom.value);
  const about = room.about.value;
  const name = about?.name ?? room.id;
  const people = Object.keys(about?.members ?? {}).filter(isHere);
  const shut = room.shut.value;
  const search = () => (dialog.value = shut ? { kind: "search" } : { kind: "search", room: room.id });
  const aside = () => ((chosenRun.value = null), openAside(true));
  const items = shut ? [] : menuOf(room);
  if (compact.value) {
    const count = known.value ? `${counted(people.length, "person", "people")} here` : "Presence unknown";
    const all = [{ icon: "search", label: "Search", run: search }, ...items];
    return html`
      <${PhoneHeader} title=${roomTitle(room)} about=${about ? count : "\u00a0"} items=${all}>
        <${Bell} size=${20} />
        ${!shut && html`<${IconButton} icon="users" label="Room details" size=${20} onClick=${aside} />`}
      <//>
    `;
  }
  return html`
    <header class="page-header room-header">
      <${Icon} name=${signOf(about)} size=${18} />
      <h1>${name}</h1>
      <p class="about" title=${about?.about}>${about?.about}</p>
      ${
        people.length > 0 &&
        html`<button type="button" class="avatars" onClick=${aside}>
          <span class="visually-hidden">${`${people.length} here: ${people.join(", ")}`}</span>
          ${people.slice(0, MOST).map((person) => html`<${Person} key=${person} name=${person} size=${24} dot=${false} />`)}
          ${people.length > MOST && html`<span>+${people.length - MOST}</span>`}
        </button>`
      }
      ${isMuted(room.topic) && html`<${MutedButton} topic=${room.topic} />`}
      <${IconButton} icon="search" label=${shut ? "Search" : "Search in this room"} onClick=${search} />
      ${items.length > 0 && html`<${Menu} icon="ellipsis" label="More" items=${items} />`}
      ${!shut && (!asideOpen.value || !wide.value) && html`<${IconButton} icon="panel-right-open" label="Room details" onClick=${aside} />`}
    </header>
  `;
}

/** @param {import("./state.js").Room} room @returns {import("../kit/menu.js").Item[]} */
function menuOf(room) {
  const role = room.role.value;
  const archived = room.about.value?.archived ?? false;
  const ask = (/** @type {any} */ kind) => () => void (dialog.value = { kind });
  const restore = () => {
    trouble.value = "";
    archive(room.id, false).catch((/** @type {Error} */ error) => (trouble.value = error.message));
  };
  const aside = () => ((chosenRun.value = null), openAside(true));
  const direct = room.about.value?.direct ?? false;
  /** @type {import("../kit/menu.js").Item[]} */
  const all = [{ icon: "users", label: "Members", run: aside }, ...levels(room.topic, direct)];
  if (role === "owner" && !archived) {
    all.push({ icon: "user-plus", label: "Add a member", run: ask("room-invite") });
    all.push({
      icon: "pencil",
      label: "Rename",
      run: () => void (dialog.value = { kind: "room-edit", room: room.id }),
    });
    all.push({ icon: "archive", label: "Archive", run: ask("room-archive") });
  }
  if (role === "owner" && archived) all.push({ icon: "archive-restore", label: "Restore", run: restore });
  if (role !== null && !archived && !direct)
    all.push({
      icon: "door-open",
      label: "Leave",
      danger: true,
      run: () => void (dialog.value = { kind: "room-leave", room: room.id }),
    });
  return all;
}

/** The icon of a room. @param {{direct?: boolean, private?: boolean, archived?: boolean} | null | undefined} room */
export const signOf = (room) => (room?.direct ? "users" : room?.archived ? "archive" : room?.private ? "lock" : "hash");

/** The number of connections of a person. @param {string} name */
export const placesOf = (name) => here.value.get(name) ?? 0;
