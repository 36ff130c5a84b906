import { html } from "../kit/html.js";
import { Person } from "../people/person.js";
import { fullTime, time } from "../text/format.js";

/**
 * @param {object} props
 * @param {string | null} props.name
 * @param {boolean} props.me
 * @param {number} props.at Unix seconds
 * @param {string} props.text
 * @param {string} [props.note] text beside the time
 * @param {boolean} [props.pale] the question is not with the server yet
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
