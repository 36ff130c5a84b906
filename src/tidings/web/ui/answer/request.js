import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Markdown } from "../kit/markdown.js";
import { ended, session } from "../session/state.js";
import { brief } from "../text/format.js";
import { Value } from "./data-card.js";
import { FormField, idOf } from "./fields.js";
import { questionOf, saidBy } from "./request-fold.js";
import { ReviewForm } from "./review.js";
import { raws, read } from "./values-fold.js";
import { answer } from "./state.js";

/** @typedef {import("./fold.js").Request} Asked */
/**
 * @typedef {object} Asking
 * @property {string} form unique in the page
 * @property {(value: unknown) => void} send
 * @property {boolean} busy the answer is being sent
 */

/**
 * A question that an agent asks people: a form, and once it is answered a line that says how.
 * @param {{run: string, request: Asked, may: boolean, live: boolean}} props `may`: the person may answer
 */
export function Request({ run, request, may, live }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const sending = useSignal(false);
  const refused = useSignal("");
  const mine = useRef(false);
  const question = useMemo(() => questionOf(request), [request.id]);
  const open = live && request.ended === null;
  const send = async (/** @type {unknown} */ value) => {
    if (sending.value) return;
    sending.value = mine.current = true;
    refused.value = "";
    try {
      await answer(run, request.id, value);
    } catch (error) {
      sending.value = false;
      if (!ended(error)) refused.value = `Not sent. ${/** @type {Error} */ (error).message}`;
    }
  };
  // The form that had the focus is gone.
  useLayoutEffect(() => {
    if (!open && mine.current) root.current?.querySelector("button")?.focus();
  }, [open]);
  return html`
    <div class="request-frame" ref=${root}>
      ${
        open
          ? html`<section class="request" aria-label="Question for you" onKeyDown=${keep}>
              ${request.error && html`<p class="again"><${Icon} name="triangle-alert" />${request.error} Answer again.</p>`}
              ${
                may
                  ? html`<${Form}
                      question=${question}
                      asking=${{ form: `request-${run}-${request.id}`, send, busy: sending.value }}
                    />`
                  : html`<${About} question=${question} />
                      <p class="about">Only people who may post here can answer.</p>`
              }
              <p class="error" role="alert">${refused.value}</p>
            </section>`
          : html`<${Answered} request=${request} question=${question} />`
      }
    </div>
  `;
}

/** Keep Esc, which stops a run elsewhere in the log. @param {KeyboardEvent} event */
const keep = (event) => event.key === "Escape" && event.preventDefault();

/** @param {{question: import("./request-fold.js").Question, asking: Asking}} props */
function Form({ question, asking }) {
  switch (question.kind) {
    case "review":
      return html`<${ReviewForm} review=${question} asking=${asking} />`;
    case "form":
      return html`<${FieldsForm} question=${question} asking=${asking} />`;
    case "pause":
      return html`<${About} question=${question} />
        <p class="choices">
          <button type="button" class="button primary" onClick=${() => asking.send(true)}>Continue</button>
        </p>`;
    default:
      return html`<${OpenForm} question=${question} asking=${asking} />`;
  }
}

/** The text of a question. @param {{question: import("./request-fold.js").Question}} props */
function About({ question }) {
  if (question.kind === "pause")
    return html`<h3><${Icon} name="pause" />Paused before ${question.next.join(", ") || "the next step"}</h3>`;
  if (question.kind === "review")
    return html`<h3>
      <${Icon} name="circle-help" />Waits for a decision about ${question.actions.map(({ name }) => name).join(", ")}
    </h3>`;
  return html`
    <div class="question-text">
      <${Icon} name="circle-help" />
      ${question.text ? html`<${Markdown} text=${question.text} />` : html`<p>The assistant asks for your answer.</p>`}
    </div>
    ${question.facts !== undefined && html`<${Value} value=${question.facts} bare />`}
  `;
}

/** @param {{question: import("./request-fold.js").FormQuestion, asking: Asking}} props */
function FieldsForm({ question, asking }) {
  const { field } = question;
  const held = useSignal(raws(field));
  const errors = useSignal(/** @type {Record<string, string>} */ ({}));
  const holding = { form: asking.form, held, errors };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const found = read(field, held.value);
    errors.value = found.errors;
    if (focusFirst(holding, found.errors)) return;
    asking.send(found.value === undefined ? null : found.value);
  };
  return html`
    <form onSubmit=${submit} novalidate>
      <${About} question=${question} />
      <${FormField} field=${field} holding=${holding} />
      <p class="choices">
        <button type="submit" class="button primary" aria-disabled=${String(asking.busy)}>Send answer</button>
      </p>
    </form>
  `;
}

/** Focus the first field with an error. @param {import("./fields.js").Holding} holding @param {Record<string, string>} errors */
export function focusFirst(holding, errors) {
  const [first] = Object.keys(errors);
  if (first === undefined) return false;
  document.getElementById(idOf(holding, /** @type {any} */ ({ id: first })))?.focus();
  return true;
}

/**
 * An answer of any kind. A graph that wants yes or no takes any text for yes, so there are buttons for both.
 * @param {{question: import("./request-fold.js").Open, asking: Asking}} props
 */
function OpenForm({ question, asking }) {
  const text = useSignal("");
  const json = useSignal(false);
  const error = useSignal("");
  const id = `${asking.form}-text`;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.value.trim()) error.value = "Write an answer first.";
    else if (!json.value) return asking.send(text.value);
    else {
      try {
        return asking.send(JSON.parse(text.value));
      } catch {
        error.value = "This is not JSON. Texts need quotes.";
      }
    }
    document.getElementById(id)?.focus();
  };
  return html`
    <form onSubmit=${submit} novalidate>
      <${About} question=${question} />
      <div class="field">
        <label for=${id}>${json.value ? "Answer as JSON" : "Answer"}</label>
        <textarea
          id=${id}
          dir="auto"
          rows="2"
          class=${json.value ? "code" : ""}
          aria-invalid=${error.value ? "true" : undefined}
          aria-describedby=${error.value ? `${id}-error` : undefined}
          value=${text.value}
          onInput=${(/** @type {InputEvent} */ event) => {
            text.value = /** @type {HTMLTextAreaElement} */ (event.currentTarget).value;
            error.value = "";
          }}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) =>
            event.key === "Enter" && (event.ctrlKey || event.metaKey) && submit(event)}
        />
        ${error.value && html`<small id=${`${id}-error`} class="error">${error.value}</small>`}
      </div>
      <p class="choices">
        <button type="submit" class="button primary" aria-disabled=${String(asking.busy)}>Send answer</button>
        <button type="button" class="button" onClick=${() => asking.send(true)}>Yes</button>
        <button type="button" class="button" onClick=${() => asking.send(false)}>No</button>
        <button
          type="button"
          class="link"
          aria-pressed=${String(json.value)}
          onClick=${() => (json.value = !json.value)}
        >
          ${json.value ? "Answer in words" : "Answer as JSON"}
        </button>
      </p>
    </form>
  `;
}

/** @param {{request: Asked, question: import("./request-fold.js").Question}} props */
function Answered({ request, question }) {
  const open = useSignal(false);
  const { answer } = request;
  const said = answer && saidBy(question, answer.value);
  const by = answer && (answer.by === null || answer.by === session.value?.name ? "you" : answer.by);
  const names = question.kind === "review" ? question.actions.map(({ name }) => name).join(", ") : "";
  return html`
    <div class="step">
      <button type="button" aria-expanded=${String(open.value)} onClick=${() => (open.value = !open.value)}>
        <${Icon} name=${open.value ? "chevron-down" : "chevron-right"} /><${Icon}
          name=${said ? "check" : "circle-help"}
        />
        <span>${said ? `${said.verb} by ${by}` : "Not answered"}${names && `: ${names}`}</span>
        <small>${said && brief(said.text, 80)}</small>
      </button>
      ${
        open.value &&
        html`<div class="exchange" tabindex="0" role="region" aria-label="Question and answer">
          ${question.kind === "review" ? question.actions.map(({ args }, n) => html`<${Value} key=${n} value=${args} bare />`) : html`<${About} question=${question} />`}
          ${answer && html`<${Value} value=${answer.value} name="Answer" bare />`}
        </div>`
      }
    </div>
  `;
}
