import { isLive } from "../folds/run.js";
import { edit } from "../state/drafts.js";
import { myName, session } from "../state/session.js";
import { fullTime, time } from "../text/format.js";
import { Answer } from "./answer.js";
import { html, IconButton } from "./html.js";
import { copy } from "./inside.js";
import { Person } from "./person.js";
import { focusComposer } from "./sidebar.js";

/**
 * A question and its answer, in the version that is shown.
 * @param {object} props
 * @param {import("../folds/conversation.js").Turn} props.turn
 * @param {import("../state/conversation.js").Conversation} props.conversation
 * @param {boolean} props.last whether nothing follows it
 */
export function Turn({ turn, conversation, last }) {
  const version = conversation.shown(turn);
  const me = version.by === null || version.by === session.value?.name;
  const live = isLive(conversation.run(version.run).value);
  const change = () => (edit(version.run, version.question), focusComposer());
  return html`
    <${Question} name=${me ? myName.value : version.by} me=${me} at=${version.time} text=${version.question}>
      <div class="actions">
        <${IconButton} icon="copy" label="Copy the question" size=${16} onClick=${copying(version.question)} />
        ${!live && html`<${IconButton} icon="pencil" label="Edit and ask again" size=${16} onClick=${change} />`}
      </div>
    <//>
    <${Answer} key=${version.run} turn=${turn} version=${version} conversation=${conversation} last=${last} />
  `;
}

/** @param {string} text */
export const copying = (text) => (/** @type {MouseEvent} */ event) =>
  void copy(text, /** @type {HTMLElement} */ (event.currentTarget));

/**
 * @param {object} props
 * @param {string | null} props.name
 * @param {boolean} props.me
 * @param {number} props.at Unix seconds
 * @param {string} props.text
 * @param {string} [props.note] beside the time
 * @param {boolean} [props.pale] not with the server yet
 * @param {any} [props.children]
 */
export function Question({ name, me, at, text, note, pale = false, children }) {
  return html`
    <article class=${pale ? "message question pale" : "message question"} aria-label=${`Question by ${name}`}>
      <div class="gutter"><${Person} name=${name ?? "?"} me=${me} /></div>
      <div class="body">
        <p class="byline">
          <b>${name}</b><time datetime=${new Date(at * 1000).toISOString()} title=${fullTime(at)}>${time(at)}</time>
          ${note && html`<span>${note}</span>`}
        </p>
        <div class="asked">${text}</div>
        ${children}
      </div>
    </article>
  `;
}
