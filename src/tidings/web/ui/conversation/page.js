import { html } from "../kit/html.js";
import { Nothing } from "../kit/nothing.js";
import { go, nowhere, open } from "../page/address.js";
import { signingIn } from "../page/layout.js";
import { session } from "../session/state.js";
import { QuestionComposer } from "./composer.js";
import { Empty } from "./empty.js";
import { Log } from "./log.js";
import { questionsOf } from "./outbox-state.js";
import { Pending } from "./pending.js";
import { shown, unavailable } from "./shown-state.js";

/** The open conversation with its composer, or the reason why there is none. */
export function ConversationPage() {
  if (nowhere.value)
    return html`
      <${Nothing} title="Page not found" text="The link is incomplete, or it was meant for another server.">
        <${NewConversation} />
      <//>
    `;
  if (unavailable.value === "missing")
    return html`
      <${Nothing} title="Conversation not found" text="It may have been deleted, or the link is incomplete.">
        <${NewConversation} />
      <//>
    `;
  if (unavailable.value === "foreign")
    return html`
      <${Nothing}
        title="This conversation belongs to someone else."
        text="Only they can read it and ask in it. To talk together, open a room."
      >
        ${
          session.value?.name === null &&
          html`<button type="button" class="button" onClick=${() => (signingIn.value = true)}>Choose a name</button>`
        }
        <${NewConversation} />
        <${NotSent} />
      <//>
    `;
  return html`
    ${open.value === null ? html`<${Empty} />` : html`<${Log} key=${open.value} />`}
    <${QuestionComposer} />
  `;
}

const NewConversation = () =>
  html`<button type="button" class="button primary" onClick=${() => go(null)}>New conversation</button>`;

/** Questions that were asked before the page knew that the conversation belongs to someone else. */
function NotSent() {
  const here = shown.value;
  const questions = here ? questionsOf(here.id) : [];
  if (questions.length === 0) return null;
  return html`<div class="not-sent">
    ${questions.map((pending) => html`<${Pending} key=${pending.key} pending=${pending} conversation=${here} />`)}
  </div>`;
}
