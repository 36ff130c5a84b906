import { copying } from "../kit/copy.js";
import { Modal } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";

const KEYS = [
  ["Enter", "Send"],
  ["Shift Enter", "New line"],
  ["Esc", "Stop the answer"],
  ["\u2191", "Edit your last message (when the composer is empty)"],
  ["\u2191 \u2193", "Move between messages"],
  ["Ctrl K", "Search, or run a command"],
  ["Alt \u2191 \u2193", "Go to the next room with unread messages"],
  ["Shift F10", "Open the menu of a room or conversation (in the side bar)"],
  ["F8", "Focus the newest notification"],
  ["\u2191 \u2193 \u2190 \u2192", "Walk the map of a process (Enter opens details, 0 shows all of it)"],
  ["?", "Show shortcuts"],
];

/** Settings with which a server has a model, each as a command. */
const MODELS = [
  ["Ollama, on this machine", "TIDINGS_MODEL_URL=http://127.0.0.1:11434/v1 TIDINGS_MODEL=qwen3 tidings serve"],
  ["OpenAI", "TIDINGS_MODEL=openai:gpt-5 TIDINGS_MODEL_KEY=… tidings serve"],
  ["Any OpenAI-compatible server", "TIDINGS_MODEL_URL=https://…/v1 TIDINGS_MODEL_KEY=… tidings serve"],
];

/** The settings with which a server has a model. */
export const ConnectModel = () => html`
  <${Modal} title="Connect a model" wide>
    <p>The person who runs this server connects a model when starting it. Restart it with these settings:</p>
    <dl class="commands">
      ${MODELS.map(
        ([name, command]) =>
          html`<div>
            <dt>
              ${name}
              <button
                type="button"
                class="quiet"
                aria-label=${`Copy the command for ${name}`}
                onClick=${copying(command)}
              >
                <${Icon} name="copy" /><span>Copy</span>
              </button>
            </dt>
            <dd><code>${command}</code></dd>
          </div>`,
      )}
    </dl>
  <//>
`;

/** The keys of the page. */
export const Help = () => html`
  <${Modal} title="Keyboard shortcuts">
    <dl class="keys">
      ${KEYS.map(
        ([keys, does]) =>
          html`<div>
            <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt>
            <dd>${does}</dd>
          </div>`,
      )}
    </dl>
  <//>
`;
