import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { ask } from "./outbox-state.js";
import { openOrBegin } from "./shown-state.js";

/** Icons for prompts, by words in them. @type {[RegExp, string][]} */
const ICONS = [
  [/process|mining|case/i, "workflow"],
  [/resume|reconnect|deploy|restart/i, "refresh-cw"],
  [/sqlite|store|publish|durable/i, "database"],
  [/topic|stream|event|204/i, "radio"],
];

/**
 * Questions that an assistant can answer. A click asks one in the open conversation, or in a new one.
 * @param {{assistant: import("../session/state.js").Assistant}} props
 */
export const Prompts = ({ assistant }) => html`
  <ul class="prompts">
    ${assistant.prompts.map(
      (prompt) => html`
        <li key=${prompt}>
          <button
            type="button"
            onClick=${() => ask({ conversation: openOrBegin(), question: prompt, assistant: assistant.name })}
          >
            <${Icon} name=${ICONS.find(([words]) => words.test(prompt))?.[1] ?? "message-square"} />${prompt}
          </button>
        </li>
      `,
    )}
  </ul>
`;
