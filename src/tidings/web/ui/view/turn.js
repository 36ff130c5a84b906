import { isLive } from "../folds/run.js";
import { edit } from "../state/drafts.js";
import { runSignal } from "../state/runs.js";
import { myName, session } from "../state/session.js";
import { Answer } from "./answer.js";
import { html, IconButton } from "./html.js";
import { copying } from "./inside.js";
import { Question } from "./question.js";
import { focusComposer } from "./composer.js";

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
  const live = isLive(runSignal(version.run).value);
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
