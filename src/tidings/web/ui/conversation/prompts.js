import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { assistants } from "../session/state.js";
import { ask } from "./outbox-state.js";
import { openOrBegin } from "./shown-state.js";

/** Icons for prompts, by words in them. @type {[RegExp, string][]} */
const ICONS = [
  [/process|mining|case/i, "workflow"],
  [/resume|reconnect|deploy|restart/i, "refresh-cw"],
  [/sqlite|store|publish|durable/i, "database"],
  [/topic|stream|event|204/i, "radio"],
];

/** @typedef {import("../session/state.js").Assistant} Assistant */

/** Ask in the open conversation, or in a new one. @param {string} question @param {Assistant} assistant */
const askHere = (question, { name }) => ask({ conversation: openOrBegin(), question, assistant: name });

/**
 * Questions that an assistant can answer. A click asks one, unless `onPick` does something else with it.
 * @param {{assistant: Assistant, onPick?: (question: string, assistant: Assistant) => void}} props
 */
export const Prompts = ({ assistant, onPick = askHere }) => html`
  <ul class="prompts">
    ${assistant.prompts.map(
      (prompt) => html`
        <li key=${prompt}>
          <button type="button" onClick=${() => onPick(prompt, assistant)}>
            <${Icon} name=${ICONS.find(([words]) => words.test(prompt))?.[1] ?? "message-square"} />${prompt}
          </button>
        </li>
      `,
    )}
  </ul>
`;

/**
 * Questions to try after an answer that found nothing.
 * @param {{name: string | null, onPick?: (question: string, assistant: Assistant) => void}} props `name`: the assistant
 */
export function Tries({ name, onPick }) {
  const assistant = assistants.value.find((one) => one.name === name);
  if (!assistant || assistant.prompts.length === 0) return null;
  return html`<div class="tries">
    <p>Try:</p>
    <${Prompts} assistant=${assistant} onPick=${onPick} />
  </div>`;
}
