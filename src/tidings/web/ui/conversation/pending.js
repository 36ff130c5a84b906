import { connectionStatus } from "../connection/state.js";
import { copying } from "../kit/copy.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { discard, retry, sending, slowed } from "../outbox/state.js";
import { myName } from "../session/state.js";
import { ordinal } from "../text/format.js";
import { questions, tried } from "./outbox-state.js";
import { Question } from "./question.js";

/** Seconds by which the server's clock may be behind this clock. */
const CLOCKS = 5;

/**
 * A question that is not with the server yet: being sent, waiting, or refused.
 * @param {object} props
 * @param {import("./outbox-state.js").PendingQuestion} props.pending
 * @param {import("./state.js").Conversation} props.conversation
 */
export function Pending({ pending, conversation }) {
  // The topic may announce the run before the request is answered. Then the question is shown as a turn already.
  const latest = conversation.turns.value.at(-1)?.at(-1);
  const sent = sending.value.has(pending.key) || tried.has(pending.key);
  if (sent && !pending.refused && latest?.question === pending.question && latest.time >= pending.time - CLOCKS)
    return null;
  const connected = connectionStatus.value === "live" || connectionStatus.value === "back";
  const on = sending.value.has(pending.key);
  const place = ordinal(questions.value.indexOf(pending) + 1);
  const waits = !pending.refused && !on;
  const asked = slowed.get(pending.key);
  const why = asked ? `Waiting: ${asked}` : "Will be sent when this answer finishes";
  return html`
    <${Question}
      name=${myName.value}
      me
      at=${pending.time}
      text=${pending.question}
      place=${`conversations/${conversation.id}`}
      files=${pending.files}
      note=${on ? "sending" : undefined}
      pale=${!pending.refused}
    >
      ${
        waits &&
        html`
          <p class="waits">
            <${Icon} name="clock" size=${14} />
            ${connected ? why : `Waiting for connection (${place} in line)`}
            <button type="button" class="link" onClick=${() => discard(pending.key)}>Delete</button>
          </p>
        `
      }
      ${
        pending.refused &&
        html`
          <p class="waits refused">
            <${Icon} name="circle-alert" size=${14} />Not sent: ${pending.refused}
            <button type="button" class="link" onClick=${() => retry(pending.key)}>Retry</button>
            <button type="button" class="link" onClick=${copying(pending.question)}><span>Copy text</span></button>
            <button type="button" class="link" onClick=${() => discard(pending.key)}>Delete</button>
          </p>
        `
      }
    <//>
  `;
}
