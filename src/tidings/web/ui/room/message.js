import { useSignal } from "@preact/signals";
import { Files, wordsOf } from "../files/files.js";
import { IconButton } from "../kit/button.js";
import { focusComposer } from "../kit/composer.js";
import { toClipboard } from "../kit/copy.js";
import { html } from "../kit/html.js";
import { touch } from "../kit/keys.js";
import { Written } from "../kit/markdown.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { goRoom } from "../page/address.js";
import { edit, reply } from "../page/drafts.js";
import { dialog } from "../page/layout.js";
import { Message, SentTime } from "../kit/message.js";
import { Person } from "../people/person.js";
import { session } from "../session/state.js";
import { clockTime } from "../text/format.js";
import { sharedItems, writingTo } from "./item-actions.js";
import { React, Reactions } from "./reactions.js";

/** @typedef {import("./fold.js").Message} Item */
/** @typedef {import("./state.js").Room} Room */

/** The most characters of a message that a reply quotes. */
const QUOTED = 200;

/**
 * A person's message in a room.
 * @param {{room: Room, item: Item, continued: boolean, may: boolean, found: boolean, stop: boolean}} props `may`: the
 *   person may post here; `found`: the message was searched for; `stop`: the Tab key reaches it
 */
export function RoomMessage({ room, item, continued, may, found, stop }) {
  const { by, time, text, mentions } = item;
  const near = useSignal(false);
  const come = (/** @type {PointerEvent | FocusEvent} */ { type, currentTarget }) => {
    near.value = true;
    if (type !== "focusin" || !touch.matches) return;
    // On a phone the actions stand below the message, whose end may touch the composer.
    const root = /** @type {HTMLElement} */ (currentTarget);
    requestAnimationFrame(() => root.querySelector(":scope > .body > .actions")?.scrollIntoView({ block: "nearest" }));
  };
  const leave = (/** @type {PointerEvent | FocusEvent} */ { type, currentTarget, relatedTarget }) => {
    const root = /** @type {HTMLElement} */ (currentTarget);
    const still = type === "focusout" ? (relatedTarget ?? root) : document.activeElement;
    if (!root.contains(/** @type {Node | null} */ (still))) near.value = root.matches(":hover") && type === "focusout";
  };
  const me = session.value?.name ?? null;
  const direct = room.about.value?.direct ?? false; // whose messages are all for me
  const everyone = item.everyone.length > 0 && !direct;
  const forMe = me !== null && [...mentions, ...(everyone ? item.everyone : [])].includes(me) && !item.deleted;
  const named = { names: [...mentions, ...item.asks, ...(everyone ? ["room"] : [])], me };
  const kind = ["said", continued && "continued", forMe && "for-me", found && "found"];
  return html`
    <${Message}
      kind=${kind.filter(Boolean).join(" ")}
      aria-label=${by ? `Message by ${by}` : "Deleted message"}
      data-offset=${item.offset}
      tabindex=${stop ? 0 : -1}
      onPointerEnter=${come}
      onFocusIn=${come}
      onPointerLeave=${leave}
      onFocusOut=${leave}
      gutter=${continued ? html`<time class="beside">${clockTime(time)}</time>` : by && html`<${Person} name=${by} me=${by === me} />`}
      byline=${!continued && html`${by && html`<b>${by}</b>`}<${SentTime} at=${time} />${item.edited && html`<span>edited</span>`}`}
    >
      ${item.quote && html`<${Quote} room=${room} quote=${item.quote} />`}
      ${
        item.deleted
          ? html`<p class="removed">This message was deleted.</p>`
          : html`${text && html`<${Written} text=${text} mentions=${named} />`}
            ${continued && item.edited && html`<small class="edited">edited</small>`}
            ${item.files.length > 0 && html`<${Files} place=${`rooms/${room.id}`} files=${item.files} />`}`
      }
      <${Reactions} room=${room.id} message=${item.offset} reactions=${item.reactions} may=${may} />
      ${near.value && !item.deleted && html`<${Actions} room=${room} item=${item} may=${may} own=${by === me} />`}
    <//>
  `;
}

/** @param {{room: Room, quote: NonNullable<Item["quote"]>}} props */
export function Quote({ room, quote }) {
  const there = room.items.value.length > 0 ? room.get(quote.message) : null;
  const words = there?.kind !== "message" ? quote.text : there.deleted ? "This message was deleted." : wordsOf(there);
  return html`
    <button type="button" class="quote" onClick=${() => goRoom(room.id, quote.message)}>
      <${Icon} name="reply" size=${14} /><span class="visually-hidden">Reply to </span
      ><b>${quote.by || "The assistant"}</b>
      <span>${words.slice(0, QUOTED) || "This message was edited or deleted."}</span>
    </button>
  `;
}

/** @param {{room: Room, item: Item, may: boolean, own: boolean}} props */
function Actions({ room, item, may, own }) {
  const { offset, text, by, reactions } = item;
  const answer = () => (reply({ message: offset, by, text: wordsOf(item).slice(0, QUOTED) }), focusComposer());
  const change = () => (edit(offset, text), focusComposer());
  const erase = () => void (dialog.value = { kind: "message-delete", message: offset });
  const more = [
    ...(text ? [{ icon: "copy", label: "Copy text", run: () => void toClipboard(text) }] : []),
    ...sharedItems(room, offset, own),
    ...writingTo(by, room),
    ...(own && may ? [{ icon: "pencil", label: "Edit", run: change }] : []),
    ...((own && may) || room.role.value === "owner"
      ? [{ icon: "trash-2", label: "Delete", danger: true, run: erase }]
      : []),
  ];
  return html`
    <div class="actions" role="group" aria-label="Actions">
      ${
        may &&
        html`<${React} room=${room.id} message=${offset} reactions=${reactions} />
          <${IconButton} icon="reply" label="Reply" size=${16} onClick=${answer} />`
      }
      <${Menu} icon="ellipsis" label="Message actions" size=${16} items=${more} />
    </div>
  `;
}
