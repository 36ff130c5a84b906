import { isLive } from "../answer/fold.js";
import { runSignal } from "../answer/state.js";
import { IconButton } from "../kit/button.js";
import { focusComposer } from "../kit/composer.js";
import { copying } from "../kit/copy.js";
import { html } from "../kit/html.js";
import { isOpen, linkTo } from "./part.js";
import { edit } from "../page/drafts.js";
import { myName, session } from "../session/state.js";
import { Answer } from "./answer.js";
import { Question } from "./question.js";

/**
 * A question and its answer, in the shown version.
 * @param {object} props
 * @param {import("./fold.js").Turn} props.turn
 * @param {import("./state.js").Conversation} props.conversation
 * @param {boolean} props.last the turn is the last one
 */
export function Turn({ turn, conversation, last }) {
  const version = conversation.shown(turn);
  // A question without a name is by any visitor, and not by the person who has a name now.
  const me = version.by === (session.value?.name ?? null);
  const live = isLive(runSignal(version.run).value);
  const change = () => (edit(version.run, version.question), focusComposer());
  return html`
    <${Question}
      name=${me ? myName.value : (version.by ?? "Guest")}
      me=${me}
      at=${version.time}
      text=${version.question}
      place=${`conversations/${conversation.id}`}
      files=${version.files}
      found=${isOpen(version, "question")}
    >
      <div class="actions">
        <${IconButton} icon="copy" label="Copy question" size=${16} onClick=${copying(version.question)} />
        <${IconButton}
          icon="link"
          label="Copy link"
          size=${16}
          onClick=${copying(linkTo(conversation.id, version, "question"))}
        />
        ${!live && html`<${IconButton} icon="pencil" label="Edit and ask again" size=${16} onClick=${change} />`}
      </div>
    <//>
    <${Answer} key=${version.run} turn=${turn} version=${version} conversation=${conversation} last=${last} />
  `;
}
