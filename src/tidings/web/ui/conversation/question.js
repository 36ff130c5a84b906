import { Files } from "../files/files.js";
import { html } from "../kit/html.js";
import { Written } from "../kit/markdown.js";
import { Person } from "../people/person.js";
import { Message, SentTime } from "../kit/message.js";

/**
 * @param {object} props
 * @param {string | null} props.name
 * @param {boolean} props.me
 * @param {number} props.at Unix seconds
 * @param {string} props.text
 * @param {string} [props.place] the conversation, as "conversations/ID"
 * @param {readonly import("../files/state.js").Stored[]} [props.files]
 * @param {string} [props.note] text beside the time
 * @param {boolean} [props.found] the question was searched for
 * @param {boolean} [props.pale] the question is not with the server yet
 * @param {any} [props.children]
 */
export function Question({ name, me, at, text, place, files = [], note, found = false, pale = false, children }) {
  const byline = html`<b>${name}</b><${SentTime} at=${at} />${note && html`<span>${note}</span>`}`;
  return html`
    <${Message}
      kind=${["question", pale && "pale", found && "found"].filter(Boolean).join(" ")}
      tabindex=${found ? -1 : undefined}
      aria-label=${`Question by ${name}`}
      gutter=${html`<${Person} name=${name ?? "?"} me=${me} />`}
      byline=${byline}
    >
      ${text && html`<${Written} text=${text} />`}
      ${files.length > 0 && html`<${Files} place=${place} files=${files} />`} ${children}
    <//>
  `;
}
