import { standing } from "../connection/state.js";
import { copying } from "../kit/copy.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { myName } from "../session/state.js";
import { ordinal } from "../text/format.js";
import { discard, outbox, retry, sending, slowed, tried } from "./outbox-state.js";
import { Question } from "./question.js";

/** Seconds by which the server's clock may be behind this one. */
const CLOCKS = 5;

/**
 * A question that is not with the server yet: on its way, waiting, or refused.
 * @param {object} props
 * @param {import("./outbox-state.js").Letter} props.letter
 * @param {import("./state.js").Conversation} props.conversation
 */
export function Pending({ letter, conversation }) {
  // The topic may tell of the run before the answer to the request comes: then the question is shown there already.
  const latest = conversation.turns.value.at(-1)?.at(-1);
  const sent = sending.value.has(letter.key) || tried.has(letter.key);
  if (sent && !letter.refused && latest?.question === letter.question && latest.time >= letter.time - CLOCKS)
    return null;
  const connected = standing.value === "live" || standing.value === "back";
  const on = sending.value.has(letter.key);
  const place = ordinal(outbox.value.indexOf(letter) + 1);
  const waits = !letter.refused && !on;
  const asked = slowed.get(letter.key);
  const why = asked ? `Waits a moment: ${asked}` : "Waits until the answer above has ended";
  return html`
    <${Question}
      name=${myName.value}
      me
      at=${letter.time}
      text=${letter.question}
      note=${on ? "sending" : undefined}
      pale=${!letter.refused}
    >
      ${
        waits &&
        html`
          <p class="waits">
            <${Icon} name="clock" size=${14} />
            ${connected ? why : `Waits for the connection, ${place} in line`}
            <button type="button" class="link" onClick=${() => discard(letter.key)}>Delete</button>
          </p>
        `
      }
      ${
        letter.refused &&
        html`
          <p class="waits refused">
            <${Icon} name="circle-alert" size=${14} />Not sent: ${letter.refused}
            <button type="button" class="link" onClick=${() => retry(letter.key)}>Send again</button>
            <button type="button" class="link" onClick=${copying(letter.question)}><span>Copy text</span></button>
            <button type="button" class="link" onClick=${() => discard(letter.key)}>Delete</button>
          </p>
        `
      }
    <//>
  `;
}
