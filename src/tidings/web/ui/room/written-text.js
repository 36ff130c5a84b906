import { html } from "../kit/html.js";
import { session } from "../session/state.js";
import { safeHref } from "../text/element.js";
import { pieces } from "../text/message.js";

/**
 * A message's text. It may come from anybody, so everything in it is plain text but links, code and mentions.
 * @param {{text: string, names: readonly string[]}} props `names`: people it may mention
 */
export const Written = ({ text, names }) => html`
  <div class="asked">
    ${pieces(text, { names, me: session.value?.name ?? null }).map(({ kind, text }) => {
      const href = kind === "link" ? safeHref(text) : null;
      if (kind === "text" || (kind === "link" && !href)) return text;
      if (kind === "code") return html`<code>${text}</code>`;
      if (href)
        return html`<a class="link" href=${href} target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
      return html`<span class=${kind === "me" ? "mention mine" : "mention"}>${text}</span>`;
    })}
  </div>
`;
