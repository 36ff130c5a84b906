import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { html, valueOf } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Markdown } from "../kit/markdown.js";
import { Value } from "./data-card.js";
import { FormField, idOf } from "./fields.js";
import { decided } from "./request-fold.js";
import { fieldOf, schemaOf } from "./schema-fold.js";
import { raws, read } from "./values-fold.js";

/** @typedef {import("./request-fold.js").Action} Action */
/** @typedef {import("./request-fold.js").Choice} Choice */
/** @typedef {import("./request-fold.js").Decision} Decision */

/** @type {Record<Choice, {label: string, icon: string, send: string, field: string}>} */
const WORDS = {
  approve: { label: "Approve", icon: "check", send: "Approve", field: "" },
  edit: { label: "Edit", icon: "pencil", send: "Send changes", field: "" },
  reject: { label: "Reject", icon: "x", send: "Reject", field: "Reason" },
  respond: { label: "Answer", icon: "reply", send: "Send answer", field: "Answer" },
};

/**
 * A form that asks what becomes of tool calls. A single call is approved by one press; of several, each gets its decision,
 * and all are sent together.
 * @param {{review: import("./request-fold.js").Review, asking: import("./request.js").Asking}} props
 */
export function ReviewForm({ review, asking }) {
  const { actions } = review;
  const several = actions.length > 1;
  const parts = useRef(/** @type {(() => Decision | null)[]} */ ([]));
  const chosen = useSignal(/** @type {(Choice | null)[]} */ (actions.map(() => null)));
  const error = useSignal("");
  /** @param {number} n @param {Choice} choice */
  const choose = (n, choice) => {
    error.value = "";
    const is = chosen.value[n] === choice && choice !== "approve";
    chosen.value = chosen.value.map((one, m) => (m === n ? (is ? null : choice) : one));
    if (choice === "approve" && !several) asking.send(decided(review, [{ choice }]));
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const missing = chosen.value.indexOf(null);
    if (missing >= 0) {
      error.value = `Decide about ${actions[missing].name}, too.`;
      return;
    }
    const made = parts.current.slice(0, actions.length).map((decide) => decide());
    if (made.every((one) => one !== null)) asking.send(decided(review, /** @type {Decision[]} */ (made)));
  };
  const [only] = chosen.value;
  return html`
    <form onSubmit=${submit} novalidate>
      ${several && html`<h3><${Icon} name="circle-help" />${actions.length} actions wait for your decision</h3>`}
      ${actions.map(
        (action, n) => html`
          <${Decide}
            key=${n}
            action=${action}
            form=${`${asking.form}-${n}`}
            choice=${chosen.value[n]}
            onChoose=${(/** @type {Choice} */ choice) => choose(n, choice)}
            decide=${(/** @type {() => Decision | null} */ decide) => (parts.current[n] = decide)}
            title=${!several}
          />
        `,
      )}
      ${error.value && html`<p class="error" role="alert">${error.value}</p>`}
      ${
        (several || (only && only !== "approve")) &&
        html`<p class="choices">
          <button type="submit" class="button primary" aria-disabled=${String(asking.busy)}>
            ${several ? `Send ${actions.length} decisions` : WORDS[/** @type {Choice} */ (only)].send}
          </button>
        </p>`
      }
    </form>
  `;
}

/**
 * A tool call: its name, its arguments and the choices.
 * @param {object} props
 * @param {Action} props.action
 * @param {string} props.form
 * @param {Choice | null} props.choice
 * @param {(choice: Choice) => void} props.onChoose
 * @param {(decide: () => Decision | null) => void} props.decide is given the function that makes the decision; null: a
 *   field is wrong
 * @param {boolean} props.title the action stands alone
 */
function Decide({ action, form, choice, onChoose, decide, title }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const text = useSignal("");
  const textError = useSignal("");
  const field = useRef(fieldOf(action.schema ?? schemaOf(action.args), action.args)).current;
  const held = useSignal(raws(field));
  const errors = useSignal(/** @type {Record<string, string>} */ ({}));
  const holding = { form, held, errors };
  decide(() => {
    if (!choice) return null;
    if (choice === "respond" && !text.value.trim()) {
      textError.value = "Write an answer first.";
      document.getElementById(`${form}-text`)?.focus();
      return null;
    }
    if (choice !== "edit") return { choice, text: text.value.trim() };
    const found = read(field, held.value);
    errors.value = found.errors;
    const [first] = Object.keys(found.errors);
    if (first !== undefined) {
      document.getElementById(idOf(holding, /** @type {any} */ ({ id: first })))?.focus();
      return null;
    }
    return { choice, args: found.value ?? {} };
  });
  useLayoutEffect(() => {
    errors.value = {};
    textError.value = "";
    if (choice && choice !== "approve")
      /** @type {HTMLElement | null} */ (root.current?.querySelector("input, textarea, select"))?.focus();
  }, [choice]);
  const empty = Object.keys(action.args).length === 0;
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !choice || choice === "approve") return;
    onChoose(choice);
    /** @type {HTMLElement | null} */ (root.current?.querySelector("[aria-pressed=true]"))?.focus();
  };
  return html`
    <fieldset class="decide" ref=${root} onKeyDown=${keys}>
      <legend>
        <${Icon} name=${title ? "circle-help" : "settings"} />${title ? `Use ${action.name}?` : action.name}
      </legend>
      ${action.description && html`<${Markdown} text=${action.description} />`}
      ${!empty && choice !== "edit" && html`<${Value} value=${action.args} bare />`}
      ${choice === "edit" && html`<${FormField} field=${field} holding=${holding} />`}
      ${
        choice &&
        WORDS[choice].field &&
        html`<div class="field">
          <label for=${`${form}-text`}
            >${WORDS[choice].field}${choice === "reject" && html` <small class="optional">optional</small>`}</label
          >
          <textarea
            id=${`${form}-text`}
            dir="auto"
            rows="2"
            aria-invalid=${textError.value ? "true" : undefined}
            value=${text.value}
            onInput=${(/** @type {Event} */ event) => ((text.value = valueOf(event)), (textError.value = ""))}
          />
          ${textError.value && html`<small class="error">${textError.value}</small>`}
        </div>`
      }
      <p class="choices" role="group" aria-label=${`Decision about ${action.name}`}>
        ${action.choices.map(
          (one) => html`
            <button
              key=${one}
              type="button"
              class=${one === "approve" && title && !choice ? "button primary" : "button"}
              aria-pressed=${one === "approve" && title ? undefined : String(choice === one)}
              onClick=${() => onChoose(one)}
            >
              <${Icon} name=${WORDS[one].icon} />${WORDS[one].label}
            </button>
          `,
        )}
      </p>
    </fieldset>
  `;
}
