import { useSignal } from "@preact/signals";
import { FormButtons, Failed, ConfirmDialog, field, useSubmit } from "../connection/dialog-form.js";
import { wordsOf } from "../files/files.js";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { go, goRoom, openRoom } from "../page/address.js";
import { dialog } from "../page/layout.js";
import { joined, rooms, summary } from "../rooms/state.js";
import { counted } from "../text/format.js";
import { archive, create, deleteMessage, join, leave, rename } from "./actions-state.js";
import { AddMember } from "./add-member.js";
import { EmojiPicker } from "./emoji-picker.js";
import { NewDirect } from "./new-direct.js";
import { shownRoom } from "./shown-state.js";

/** The open dialog, if it is about rooms. @param {{now: import("../page/layout.js").Dialog}} props */
export function RoomDialog({ now }) {
  if (now.kind === "rooms") return html`<${Browse} />`;
  if (now.kind === "room-new") return html`<${Create} name=${now.name} />`;
  if (now.kind === "direct-new") return html`<${NewDirect} />`;
  if (now.kind === "emoji") return html`<${EmojiPicker} pick=${now.pick} />`;
  if (now.kind === "room-edit" || now.kind === "room-leave") {
    const about = summary(now.room) ?? (shownRoom.value?.id === now.room ? shownRoom.value.about.value : null);
    if (!about) return null;
    return now.kind === "room-edit"
      ? html`<${Edit} id=${now.room} about=${about} />`
      : html`<${Leave} id=${now.room} about=${about} />`;
  }
  const room = shownRoom.value;
  if (!room?.about.value) return null;
  const { id } = room;
  const about = room.about.value;
  const name = about.name;
  if (now.kind === "room-invite") return html`<${AddMember} id=${id} about=${about} />`;
  if (now.kind === "room-archive") {
    return html`<${ConfirmDialog}
      title="Archive room"
      what=${`#${name}`}
      act="Archive room"
      run=${() => archive(id, true)}
    >
      The room becomes read-only until an owner restores it. History is kept.
    <//>`;
  }
  if (now.kind === "message-delete") {
    const item = room.items.value.find((one) => one.offset === now.message);
    const text = item?.kind === "message" ? wordsOf(item).slice(0, 200) : "";
    const erase = () => deleteMessage(id, now.message);
    return html`<${ConfirmDialog} title="Delete message" what=${text} act="Delete message" run=${erase}>
      It will be deleted for everyone, on every device. This cannot be undone.
    <//>`;
  }
  return null;
}

/** All rooms that the person can read, to open or join them. */
function Browse() {
  const sought = useSignal("");
  const failed = useSignal("");
  const low = sought.value.trim().toLowerCase();
  const found = rooms.value.filter(
    ({ name, about, direct }) => !direct && `${name} ${about}`.toLowerCase().includes(low),
  );
  const mine = new Set(joined(rooms.value));
  const enter = async (/** @type {string} */ id) => {
    try {
      await join(id);
      close();
      goRoom(id);
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
  };
  const visit = (/** @type {string} */ id) => (close(), goRoom(id));
  return html`
    <${Modal} title="Rooms" wide>
      <div class="browse">
        <label class="field">
          <span class="visually-hidden">Find a room</span>
          <input
            type="text"
            placeholder="Find a room"
            autocomplete="off"
            data-first
            onInput=${(/** @type {any} */ event) => (sought.value = event.currentTarget.value)}
          />
        </label>
        <button
          type="button"
          class="button primary"
          onClick=${() => (dialog.value = { kind: "room-new", name: sought.value.trim() })}
        >
          <${Icon} name="plus" />New room
        </button>
      </div>
      ${failed.value && html`<p class="error" role="alert">${failed.value}</p>`}
      <ul class="rooms">
        ${found.map(
          (room) => html`
            <li key=${room.id}>
              <${Icon} name=${room.archived ? "archive" : room.private ? "lock" : "hash"} />
              <button type="button" class="into" onClick=${() => visit(room.id)}>
                <b>${room.name}</b
                ><small
                  >${[counted(room.members, "member"), room.archived && "archived", room.about].filter(Boolean).join(" \u00b7 ")}</small
                >
              </button>
              ${
                !mine.has(room) &&
                !room.archived &&
                html`<button
                  type="button"
                  class="button"
                  aria-label=${`Join ${room.name}`}
                  onClick=${() => enter(room.id)}
                >
                  Join
                </button>`
              }
            </li>
          `,
        )}
      </ul>
      ${found.length === 0 && html`<p class="none">${low ? "No room matches." : "No rooms yet."}</p>`}
    <//>
  `;
}

/** @param {{name: string}} props `name`: the name that was searched for */
function Create({ name }) {
  const doing = useSubmit(async (form) => {
    const about = field(form, "about");
    const id = await create({ name: field(form, "name"), about, private: form.get("private") === "on" });
    return () => goRoom(id);
  });
  return html`
    <${Modal} title="New room">
      <form onSubmit=${doing.go}>
        <${Fields} name=${name} about="" />
        <label class="check">
          <input type="checkbox" name="private" />
          <span><b>Private</b><small>Only people you add can read it, including its history.</small></span>
        </label>
        <${Failed} doing=${doing} />
        <${FormButtons} act="Create room" busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** @typedef {Pick<import("./about-fold.js").About, "name" | "about" | "private">} About */

/** @param {{id: string, about: About}} props */
function Leave({ id, about }) {
  const away = async () => (await leave(id), () => void (openRoom.value === id && go(null)));
  return html`<${ConfirmDialog} title="Leave room" what=${`#${about.name}`} act="Leave room" run=${away}>
    ${about.private ? "This room is private. To come back, an owner has to add you again." : "You can join again at any time."}
  <//>`;
}

/** @param {{id: string, about: About}} props */
function Edit({ id, about }) {
  const doing = useSubmit((form) => rename(id, field(form, "name"), field(form, "about")));
  return html`
    <${Modal} title="Rename room">
      <form onSubmit=${doing.go}>
        <${Fields} name=${about.name} about=${about.about} />
        <${Failed} doing=${doing} />
        <${FormButtons} act="Rename room" busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** @param {{name: string, about: string}} props */
const Fields = ({ name, about }) => html`
  <label class="field">
    <span>Name</span>
    <input name="name" type="text" maxlength="80" defaultValue=${name} autocomplete="off" data-first required />
  </label>
  <label class="field">
    <span>Topic (optional)</span>
    <input name="about" type="text" maxlength="500" defaultValue=${about} autocomplete="off" />
  </label>
`;
