import { useSignal } from "@preact/signals";
import { Avatar } from "../answer/avatar.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { late } from "../kit/lazy.js";
import { write } from "../page/drafts.js";
import { Person } from "../people/person.js";
import { assistants, session } from "../session/state.js";
import { openFence } from "../text/writing.js";

/**
 * @typedef {object} Option
 * @property {string} name
 * @property {string} insert what takes the place of the letters
 * @property {string | null} [assistant] its name, of an assistant
 * @property {string} [icon] of everyone
 * @property {string} [emoji]
 */
/** @typedef {{sign: string, letters: string}} Sought the sign before the caret, and the letters after the sign */
/** @typedef {ReturnType<typeof useCompletion>} Completing */

/** The most names that are offered. */
const MOST = 6;

/** A sign and letters before the caret: the beginning of a name or of an emoji, or the whole name of an emoji. */
const NAME = /(?:^|\s)(@)(\S{0,40})$/u;
const EMOJI = /(?:^|\s)(:)([\w+-]{2,40})$/u;
const NAMED = /(?:^|\s):([\w+-]{1,40}):$/u;

/**
 * The names that an `@` at the caret may begin, and the emoji that a `:` may.
 * @param {import("preact").RefObject<HTMLTextAreaElement | null>} area
 * @param {import("./state.js").Room} room
 */
export function useCompletion(area, room) {
  const sought = useSignal(/** @type {Sought | null} */ (null));
  const at = useSignal(0);
  const options = sought.value === null ? [] : matching(room, sought.value);
  const look = () => {
    const box = area.current;
    const before = box?.value.slice(0, box.selectionStart) ?? "";
    const [, sign, letters] = NAME.exec(before) ?? (openFence(before) ? null : EMOJI.exec(before)) ?? [];
    sought.value = sign ? { sign, letters } : null;
    at.value = 0;
    const [, name] = (before.endsWith(":") && !openFence(before) && NAMED.exec(before)) || [];
    const emoji = name && late("emojiNamed")?.(name);
    if (emoji) put(emoji, name.length + 2);
  };
  /** Put a text and a space in the place of the letters before the caret. @param {string} insert @param {number} letters */
  const put = (insert, letters) => {
    const box = /** @type {HTMLTextAreaElement} */ (area.current);
    const end = box.selectionStart;
    const from = end - letters;
    const text = `${box.value.slice(0, from)}${insert} ${box.value.slice(end)}`;
    write((box.value = text));
    box.setSelectionRange(from + insert.length + 1, from + insert.length + 1);
    box.focus();
    sought.value = null;
  };
  /** @param {Option} option */
  const pick = ({ insert, emoji }) => put(insert, (sought.value?.letters.length ?? 0) + (emoji ? 1 : 0));
  const begin = () => {
    const box = /** @type {HTMLTextAreaElement} */ (area.current);
    box.focus();
    const open = box.selectionStart === 0 || /\s$/.test(box.value.slice(0, box.selectionStart));
    box.setRangeText(open ? "@" : " @", box.selectionStart, box.selectionEnd, "end");
    write(box.value);
    look();
  };
  return {
    options,
    at: Math.min(at.value, Math.max(0, options.length - 1)),
    look,
    pick,
    begin,
    close: () => (sought.value = null),
    move: (/** @type {number} */ step) => (at.value = (at.value + step + options.length) % options.length),
  };
}

/** Handle a key for the list. @param {KeyboardEvent} event @param {Completing} completion */
export function completing(event, { options, at, pick, move, close }) {
  if (options.length === 0) return false;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) move(step);
  else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") pick(options[at]);
  else if (event.key === "Escape") close();
  else return false;
  event.preventDefault();
  return true;
}

/** @param {import("./state.js").Room} room @param {Sought} sought @returns {readonly Option[]} */
function matching(room, { sign, letters }) {
  if (sign === ":") {
    /** @type {readonly import("./emoji-fold.js").Emoji[]} */
    const found = late("emojiStarting")?.(letters) ?? [];
    return found.map(({ emoji, names }) => ({ name: `:${names[0]}:`, insert: emoji, emoji }));
  }
  const members = Object.keys(room.about.value?.members ?? {}).filter((name) => name !== session.value?.name);
  const first = (/** @type {string} */ name) => name.split(/\s+/)[0];
  const unique = (/** @type {string} */ name) => members.filter((other) => first(other) === first(name)).length === 1;
  const people = members.map((name) => ({
    name,
    insert: unique(name) ? first(name) : name,
  }));
  const everyone = { name: "Everyone", insert: "room", icon: "users" };
  const machines = assistants.value.map(({ name, title, default: usual }) => ({
    name: title,
    insert: usual || assistants.value.length === 1 ? "assistant" : name,
    assistant: name,
  }));
  const low = letters.toLowerCase();
  const begins = (/** @type {Option} */ { name, insert }) =>
    `${name} ${insert}`
      .toLowerCase()
      .split(/\s+/)
      .some((word) => word.startsWith(low));
  const found = [...people, ...machines, ...(people.length > 1 ? [everyone] : [])].filter(begins);
  // A name that is written out needs no completion, so that Enter sends the message.
  return found.length === 1 && found[0].insert.toLowerCase() === low ? [] : found.slice(0, MOST);
}

/** @param {{completion: Completing}} props */
export function Completion({ completion: { options, at, pick } }) {
  if (options.length === 0) return null;
  return html`
    <ul class="completion" id="completion" role="listbox" aria-label=${options[0].emoji ? "Emoji" : "Mention"}>
      ${options.map(
        (option, n) => html`
          <li
            key=${option.name}
            id=${`option-${n}`}
            role="option"
            aria-selected=${String(n === at)}
            onPointerDown=${(/** @type {Event} */ event) => (event.preventDefault(), pick(option))}
          >
            <${Sign} ...${option} /><span>${option.name}</span>
            ${!option.emoji && html`<small>@${option.insert}</small>`}
          </li>
        `,
      )}
    </ul>
  `;
}

/** @param {Option} props */
function Sign({ name, assistant, icon, emoji }) {
  if (emoji) return html`<span class="emoji">${emoji}</span>`;
  if (icon) return html`<${Icon} name=${icon} />`;
  return assistant ? html`<${Avatar} name=${assistant} size=${24} />` : html`<${Person} name=${name} size=${24} />`;
}
