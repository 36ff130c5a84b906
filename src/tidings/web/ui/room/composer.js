import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { connectionStatus } from "../connection/state.js";
import { Attached, Drop, Paperclip, pasteFiles } from "../files/attachments.js";
import { attachedTo, missing, take } from "../files/state.js";
import { IconButton } from "../kit/button.js";
import { About, Composer, Send, focusComposer } from "../kit/composer.js";
import { html } from "../kit/html.js";
import { openRoom } from "../page/address.js";
import { draft, edit, editing, reply, replying, write } from "../page/drafts.js";
import { announcement, dialog, signingIn } from "../page/layout.js";
import { signed } from "../rooms/fold.js";
import { session } from "../session/state.js";
import { archive, editMessage, join, trouble, endTyping, typing } from "./actions-state.js";
import { Completion, completing, useCompletion } from "./mention-completion.js";
import { post } from "./outbox-state.js";

/** @typedef {import("./state.js").Room} Room */

/** The composer of a room, or the reason why there is none. @param {{room: Room}} props */
export function RoomComposer({ room }) {
  const { about, role, status } = room;
  if (status.value !== "ready" || !about.value) return html`<div class="composer-frame" id="composer" tabindex="-1" />`;
  const name = signed(about.value);
  if (about.value.archived) {
    const restore = role.value === "owner" && { label: "Restore", run: () => archive(room.id, false) };
    return html`<${Instead} text="This room is archived. Its history is kept." act=${restore} />`;
  }
  if (!session.value?.name) {
    const choose = { label: "Choose a name", run: async () => void (signingIn.value = true) };
    return html`<${Instead} text=${`Choose a name to write to ${name}.`} act=${choose} />`;
  }
  if (role.value === null) {
    return html`<${Instead} text=${`You're previewing ${name}.`} act=${{ label: "Join", run: () => join(room.id) }} />`;
  }
  if (role.value === "reader") {
    return html`<${Instead} text="Read-only. Ask an owner for permission to post." act=${false} />`;
  }
  return html`<${Writing} room=${room} name=${name} />`;
}

/** @param {{text: string, act: {label: string, run: () => Promise<unknown>} | false}} props */
function Instead({ text, act }) {
  const busy = useSignal(false);
  const press = async () => {
    if (busy.value || !act) return;
    busy.value = true;
    trouble.value = "";
    await act.run().catch((/** @type {Error} */ error) => (trouble.value = error.message));
    busy.value = false;
  };
  return html`
    <div class="composer-frame">
      <div class="instead" id="composer" tabindex="-1">
        <p>${text}</p>
        ${
          act &&
          html`<button type="button" class="button primary" aria-disabled=${String(busy.value)} onClick=${press}>
            ${act.label}
          </button>`
        }
      </div>
    </div>
  `;
}

/** The place of the room's files. @param {Room} room */
const placeOf = ({ id }) => `rooms/${id}`;

/** @param {{room: Room, name: string}} props `name`: as in a sentence */
function Writing({ room, name }) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const completion = useCompletion(area, room);
  const offered = completion.options.length > 0;
  const insert = (/** @type {string} */ emoji) => {
    const box = /** @type {HTMLTextAreaElement} */ (area.current);
    box.setRangeText(emoji, box.selectionStart, box.selectionEnd, "end");
    write(box.value);
    focusComposer();
  };
  const target = {
    place: placeOf(room),
    maxFile: room.maxFile,
    tell: (/** @type {string} */ wrong) => void (trouble.value = wrong),
  };
  const late = editing.value ? "" : missing(target.place);
  const input = () => {
    write(area.current?.value ?? "");
    completion.look();
    if (area.current?.value) typing(room.id);
  };
  return html`
    <${Composer}
      label="Write"
      area=${area}
      text=${draft.value}
      place=${openRoom.value}
      field=${{
        "aria-label": `Write to ${name}`,
        placeholder: `Write to ${name}`,
        "aria-autocomplete": "list",
        "aria-controls": offered ? "completion" : undefined,
        "aria-activedescendant": offered ? `option-${completion.at}` : undefined,
        onInput: input,
        onPaste: (/** @type {ClipboardEvent} */ event) => pasteFiles(event, target),
        onBlur: completion.close,
      }}
      before=${html`<${Completion} completion=${completion} />`}
      above=${html`<${Context} /><${Attached} place=${target.place} />`}
      tools=${html`
        <div class="adding">
          ${!editing.value && html`<${Paperclip} target=${target} />`}
          <${IconButton} icon="at-sign" label="Mention someone" onClick=${completion.begin} />
          <${IconButton}
            icon="smile"
            label="Add an emoji"
            onClick=${() => (dialog.value = { kind: "emoji", pick: insert })}
          />
        </div>
      `}
      action=${html`<${Send} waits=${late} />`}
      hint=${hint(late, target.place)}
      onKey=${(/** @type {KeyboardEvent} */ event) => completing(event, completion)}
      onSend=${() => submit(room, area.current)}
      onEditLast=${() => editLast(room)}
      onCancel=${editing.value || replying.value ? leave : null}
    />
    <${Drop} target=${target} to=${`your message in ${name}`} />
  `;
}

/** @param {string} late the reason why the message cannot be sent yet @param {string} place */
function hint(late, place) {
  if (late) return late;
  if (connectionStatus.value === "lost") return "Not connected. Messages wait here and are sent in order.";
  if (attachedTo(place).length > 0) return "Attachments are lost if you leave this page";
  return draft.value ? "Draft kept on this device" : "";
}

/** The message that is being edited or replied to. */
function Context() {
  const to = replying.value;
  if (editing.value) return html`<${About} icon="pencil" onCancel=${leave}>Editing message<//>`;
  if (!to) return null;
  return html`<${About} icon="reply" onCancel=${leave}
    ><span>Replying to <b>${to.by}</b>: ${to.text}</span><//
  >`;
}

function leave() {
  if (editing.value) edit(null, "");
  reply(null);
}

/** @param {Room} room @param {HTMLTextAreaElement | null} area */
function submit(room, area) {
  const text = draft.value.trim();
  const place = placeOf(room);
  const waits = editing.value ? "" : missing(place);
  if (waits) announcement.value = waits;
  if (waits || (!text && (editing.value || attachedTo(place).length === 0))) {
    area?.focus();
    return;
  }
  if (editing.value) void editMessage(room.id, editing.value, text);
  else post(room, text, replying.value, take(place));
  leave();
  write("");
  endTyping(room.id);
}

/** Put the person's last message into the composer. @param {Room} room @returns {boolean} false: there is none */
function editLast(room) {
  const last = room.items.value.findLast(
    (item) => item.kind === "message" && item.by === session.value?.name && !item.deleted,
  );
  if (last?.kind !== "message") return false;
  edit(last.offset, last.text);
  return true;
}
