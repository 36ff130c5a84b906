import { useRef } from "preact/hooks";
import { openRequests } from "../answer/fold.js";
import { runSignal } from "../answer/state.js";
import { Stop } from "../answer/stop.js";
import { connectionStatus } from "../connection/state.js";
import { Attached, Drop, Paperclip, pasteFiles } from "../files/attachments.js";
import { attachedTo, missing, take } from "../files/state.js";
import { About, Composer, Send } from "../kit/composer.js";
import { html, valueOf } from "../kit/html.js";
import { touch } from "../kit/keys.js";
import { open } from "../page/address.js";
import { draft, edit, editing, write } from "../page/drafts.js";
import { announcement, compact } from "../page/layout.js";
import { assistants } from "../session/state.js";
import { toast } from "../toasts/state.js";
import { ask, questionsOf } from "./outbox-state.js";
import { assistant, choose, openOrBegin, place, shown } from "./shown-state.js";

/** The composer of a conversation. Its button is Send, or Stop while an answer is being written. */
export function QuestionComposer() {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const live = shown.value?.live.value ?? null;
  const cancel = () => edit(null, "");
  const stop = live && connectionStatus.value !== "lost";
  const target = { place: place.value, maxFile: Infinity, tell };
  const late = editing.value ? "" : missing(place.value);
  const takes = assistant.value && assistant.value.files !== "none";
  return html`
    <${Composer}
      label="Ask"
      area=${area}
      text=${draft.value}
      place=${open.value}
      field=${{
        "aria-label": "Your question",
        placeholder: placeholder(live),
        onInput: () => write(area.current?.value ?? ""),
        onPaste: (/** @type {ClipboardEvent} */ event) => takes && pasteFiles(event, target),
      }}
      above=${html`
        ${editing.value && html`<${About} icon="pencil" onCancel=${cancel}>Editing question. A new answer will be written<//>`}
        <${Attached} place=${place.value} />
      `}
      tools=${html`
        <div class="adding">
          ${takes && !editing.value && html`<${Paperclip} target=${target} />`}
          <${Choice} />
        </div>
      `}
      action=${html`
        ${stop && html`<${Stop} run=${live} within=".composer-frame, #log" key=${live} />`}
        ${(!stop || (touch.matches && draft.value.trim())) && html`<${Send} waits=${late} />`}
      `}
      hint=${late || hint(live)}
      sends=${!live}
      onSend=${() => submit(area.current)}
      onEditLast=${editLast}
      onCancel=${editing.value ? cancel : null}
    />
    ${takes && html`<${Drop} target=${target} to="your question" />`}
  `;
}

/** @param {string | null} live */
function placeholder(live) {
  if (!shown.value || (shown.value.turns.value.length === 0 && questionsOf(shown.value.id).length === 0))
    return "Ask a question";
  return live && !compact.value ? "Ask a follow-up. It will be sent when this answer finishes." : "Ask a follow-up";
}

/** @param {string | null} live */
function hint(live) {
  if (connectionStatus.value === "lost") return "Not connected. Questions wait here and are sent in order.";
  if (live && openRequests(runSignal(live).value).length > 0) return "The assistant waits for your answer above.";
  if (attachedTo(place.value).length > 0) return "Attachments are lost if you leave this page";
  if (live) return "The run goes on if you close this tab.";
  return draft.value ? "Draft kept on this device" : "";
}

/** @param {HTMLTextAreaElement | null} area */
function submit(area) {
  const question = draft.value.trim();
  const parent = editing.value;
  const late = parent ? "" : missing(place.value);
  if (late) announcement.value = late;
  if (late || (!question && (parent || attachedTo(place.value).length === 0))) {
    area?.focus();
    return;
  }
  const files = parent ? filesOf(parent) : take(place.value);
  edit(null, "");
  const name = assistant.value?.name ?? null;
  ask({ conversation: openOrBegin(), question, assistant: name, parent, files });
}

/** The files of the question that a run answers. @param {string} run */
const filesOf = (run) => shown.value?.state.value.versions.find((one) => one.run === run)?.files ?? [];

/** @param {string} wrong */
function tell(wrong) {
  if (wrong) toast({ key: "files", icon: "circle-alert", tone: "red", title: "Not attached", text: wrong });
}

/** Put the last question back into the composer. @returns {boolean} false: there is none */
function editLast() {
  const turn = shown.value?.turns.value.at(-1);
  if (!turn || !shown.value || shown.value.live.value) return false;
  const { run, question } = shown.value.shown(turn);
  edit(run, question);
  return true;
}

/** The choice between several assistants. */
function Choice() {
  if (assistants.value.length < 2) return null;
  return html`
    <label class="choice">
      <span class="visually-hidden">Assistant</span>
      <select value=${assistant.value?.name} onChange=${(/** @type {InputEvent} */ event) => choose(valueOf(event))}>
        ${assistants.value.map(({ name, title }) => html`<option value=${name}>${title}</option>`)}
      </select>
    </label>
  `;
}
