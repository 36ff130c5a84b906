import { fullTime, time } from "../text/format.js";
import { html } from "./html.js";

/**
 * A message of a person or an assistant, pending or sent: the gutter with the avatar, a byline, and a body.
 * @param {object} props
 * @param {string} props.kind further classes
 * @param {any} props.gutter
 * @param {any} props.byline falsy when the message continues the one above it
 * @param {import("preact").RefObject<HTMLElement | null>} [props.root]
 * @param {any} [props.children]
 */
export const Message = ({ kind, gutter, byline, root, children, ...attributes }) => html`
  <article class=${`message ${kind}`} ref=${root} ...${attributes}>
    <div class="gutter">${gutter}</div>
    <div class="body">${byline && html`<p class="byline">${byline}</p>`} ${children}</div>
  </article>
`;

/** The time of a message. @param {{at: number}} props `at`: Unix seconds */
export const SentTime = ({ at }) =>
  html`<time datetime=${new Date(at * 1000).toISOString()} title=${fullTime(at)}>${time(at)}</time>`;
