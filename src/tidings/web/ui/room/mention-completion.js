import { useSignal } from "@preact/signals";
import { Avatar } from "../answer/avatar.js";
import { html } from "../kit/html.js";
import { write } from "../page/drafts.js";
import { Person } from "../people/person.js";
import { assistants, session } from "../session/state.js";

/** @typedef {{name: string, insert: string, assistant: string | null}} Option `assistant`: its name, of an assistant */
/** @typedef {ReturnType<typeof useCompletion>} Completing */

/** The most names that are offered. */
const MOST = 6;

/**
 * The names that an `@` at the caret may begin.
 * @param {import("preact").RefObject<HTMLTextAreaElement | null>} area
 * @param {import("./state.js").Room} room
 */
export function useCompletion(area, room) {
  /** The text after the `@`; null without an `@`. @type {import("@preact/signals").Signal<string | null>} */
  const sought = useSignal(/** @type {string | null} */ (null));
  const at = useSignal(0);
  const options = sought.value === null ? [] : matching(room, sought.value);
  const look = () => {
    const box = area.current;
    const before = box?.value.slice(0, box.selectionStart) ?? "";
    sought.value = /(?:^|\s)@(\S{0,40})$/u.exec(before)?.[1] ?? null;
    at.value = 0;
  };
  /** @param {Option} option */
  const pick = ({ insert }) => {
    const box = /** @type {HTMLTextAreaElement} */ (area.current);
    const end = box.selectionStart;
    const from = end - (sought.value?.length ?? 0);
    const text = `${box.value.slice(0, from)}${insert} ${box.value.slice(end)}`;
    write((box.value = text));
    box.setSelectionRange(from + insert.length + 1, from + insert.length + 1);
    box.focus();
    sought.value = null;
  };
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

/** @param {import("./state.js").Room} room @param {string} sought @returns {Option[]} */
function matching(room, sought) {
  const members = Object.keys(room.about.value?.members ?? {}).filter((name) => name !== session.value?.name);
  const first = (/** @type {string} */ name) => name.split(/\s+/)[0];
  const unique = (/** @type {string} */ name) => members.filter((other) => first(other) === first(name)).length === 1;
  const people = members.map((name) => ({
    name,
    insert: unique(name) ? first(name) : name,
    assistant: null,
  }));
  const machines = assistants.value.map(({ name, title, default: usual }) => ({
    name: title,
    insert: usual || assistants.value.length === 1 ? "assistant" : name,
    assistant: name,
  }));
  const low = sought.toLowerCase();
  const begins = (/** @type {Option} */ { name, insert }) =>
    `${name} ${insert}`
      .toLowerCase()
      .split(/\s+/)
      .some((word) => word.startsWith(low));
  const found = [...people, ...machines].filter(begins);
  // A name that is written out needs no completion, so that Enter sends the message.
  return found.length === 1 && found[0].insert.toLowerCase() === low ? [] : found.slice(0, MOST);
}

/** @param {{completion: Completing}} props */
export function Completion({ completion: { options, at, pick } }) {
  if (options.length === 0) return null;
  return html`
    <ul class="completion" id="completion" role="listbox" aria-label="Mention">
      ${options.map(
        (option, n) => html`
          <li
            key=${option.name}
            id=${`option-${n}`}
            role="option"
            aria-selected=${String(n === at)}
            onPointerDown=${(/** @type {Event} */ event) => (event.preventDefault(), pick(option))}
          >
            ${option.assistant ? html`<${Avatar} name=${option.assistant} size=${24} />` : html`<${Person} name=${option.name} size=${24} />`}
            <span>${option.name}</span><small>@${option.insert}</small>
          </li>
        `,
      )}
    </ul>
  `;
}
