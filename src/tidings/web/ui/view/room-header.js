import { here, isHere, known } from "../state/people.js";
import { archive, trouble } from "../state/room-acts.js";
import { asideOpen, chosenRun, compact, dialog, openAside, shownRoom } from "../state/shell.js";
import { counted } from "../text/format.js";
import { html, Icon, IconButton } from "./html.js";
import { Menu } from "./menu.js";
import { MuteButton, muting } from "./mute.js";
import { Person } from "./person.js";
import { PhoneHeader } from "./phone-header.js";

/** Avatars in the header. */
const MOST = 3;

/** The header of the open room: what it is, who is here, what may be done with it. */
export function RoomHeader() {
  const room = /** @type {import("../state/room.js").Room} */ (shownRoom.value);
  const about = room.about.value;
  const name = about?.name ?? room.id;
  const people = Object.keys(about?.members ?? {}).filter(isHere);
  const search = () => (dialog.value = { kind: "search", room: room.id });
  const aside = () => ((chosenRun.value = null), openAside(true));
  const items = menuOf(room);
  if (compact.value) {
    const count = known.value ? `${counted(people.length, "person", "people")} here` : "Nobody is known to be here";
    const all = [{ icon: "search", label: "Search", run: search }, ...muting(room.topic), ...items];
    return html`
      <${PhoneHeader} title=${`#${name}`} about=${about ? count : "\u00a0"} items=${all}>
        <${IconButton} icon="users" label="The room" size=${20} onClick=${aside} />
      <//>
    `;
  }
  return html`
    <header class="page-header room-header">
      <${Icon} name=${about?.private ? "lock" : "hash"} size=${18} />
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
      <${MuteButton} topic=${room.topic} />
      <${IconButton} icon="search" label="Search in this room" onClick=${search} />
      ${items.length > 0 && html`<${Menu} icon="ellipsis" label="More" items=${items} />`}
      ${!asideOpen.value && html`<${IconButton} icon="panel-right-open" label="Show the room" onClick=${aside} />`}
    </header>
  `;
}

/** @param {import("../state/room.js").Room} room @returns {import("./menu.js").Item[]} */
function menuOf(room) {
  const role = room.role.value;
  const archived = room.about.value?.archived ?? false;
  const ask = (/** @type {any} */ kind) => () => void (dialog.value = { kind });
  const restore = () => {
    trouble.value = "";
    archive(room.id, false).catch((/** @type {Error} */ error) => (trouble.value = error.message));
  };
  const aside = () => ((chosenRun.value = null), openAside(true));
  /** @type {import("./menu.js").Item[]} */
  const all = [{ icon: "users", label: "Members", run: aside }];
  if (role === "owner" && !archived) {
    all.push({ icon: "user-plus", label: "Add a member", run: ask("room-invite") });
    all.push({ icon: "pencil", label: "Rename", run: ask("room-edit") });
    all.push({ icon: "archive", label: "Archive", run: ask("room-archive") });
  }
  if (role === "owner" && archived) all.push({ icon: "archive-restore", label: "Restore", run: restore });
  if (role !== null && !archived) all.push({ icon: "door-open", label: "Leave", danger: true, run: ask("room-leave") });
  return all;
}

/** In how many browsers someone is here. @param {string} name */
export const placesOf = (name) => here.value.get(name) ?? 0;
