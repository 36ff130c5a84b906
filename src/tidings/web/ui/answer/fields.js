import { html, valueOf } from "../kit/html.js";

/** @typedef {import("./schema-fold.js").Field} Field */
/** @typedef {import("./schema-fold.js").Raw} Raw */
/**
 * @typedef {object} Holding what the fields of one form hold
 * @property {string} form unique in the page
 * @property {import("@preact/signals").Signal<import("./schema-fold.js").Raws>} held
 * @property {import("@preact/signals").Signal<Record<string, string>>} errors by the field's id
 */

/** A field of a form, and the fields inside of it. @param {{field: Field, holding: Holding}} props */
export function FormField({ field, holding }) {
  if (field.kind === "group") return html`<${Group} field=${field} holding=${holding} />`;
  if (field.kind === "fixed") return null;
  if (field.kind === "choices") return html`<${Choices} field=${field} holding=${holding} />`;
  const id = idOf(holding, field);
  const error = holding.errors.value[field.id];
  const flag = field.kind === "flag";
  const label = html`<label for=${id}
    >${field.label || "Answer"}${field.required || flag ? "" : html` <small class="optional">optional</small>`}</label
  >`;
  return html`
    <div class=${flag ? "field flag" : "field"}>
      ${flag ? "" : label}
      <${Control}
        field=${field}
        holding=${holding}
        about=${{
          id,
          "aria-invalid": error ? "true" : undefined,
          "aria-describedby": error || field.description ? `${id}-about` : undefined,
        }}
      />
      ${flag ? label : ""}
      ${(error || field.description) && html`<small id=${`${id}-about`} class=${error ? "error" : ""}>${error || field.description}</small>`}
    </div>
  `;
}

/** @param {Holding} holding @param {Field} field */
export const idOf = ({ form }, field) => `${form}-${field.id}`;

/** @param {Holding} holding @param {Field} field @param {Raw} value */
function hold({ held, errors }, { id }, value) {
  held.value = { ...held.value, [id]: value };
  if (errors.value[id]) errors.value = { ...errors.value, [id]: "" };
}

/** @param {{field: Field, holding: Holding, about: Record<string, unknown>}} props */
function Control({ field, holding, about }) {
  const held = holding.held.value[field.id];
  const change = (/** @type {Event} */ event) => hold(holding, field, valueOf(event));
  switch (field.kind) {
    case "flag":
      return html`<input
        type="checkbox"
        ...${about}
        checked=${held === true}
        onChange=${(/** @type {Event} */ event) =>
          hold(holding, field, /** @type {HTMLInputElement} */ (event.currentTarget).checked)}
      />`;
    case "choice":
      return html`<select ...${about} value=${held} onChange=${change}>
        ${held === "" || !field.required ? html`<option value="">${field.required ? "Choose" : "None"}</option>` : ""}
        ${field.options?.map(({ label }, n) => html`<option key=${n} value=${String(n)}>${label}</option>`)}
      </select>`;
    case "long":
    case "list":
    case "json":
      return html`<textarea
        dir="auto"
        rows=${field.kind === "json" ? 6 : 3}
        class=${field.kind === "json" ? "code" : ""}
        placeholder=${PLACEHOLDERS[field.kind] ?? ""}
        spellcheck=${field.kind !== "json"}
        ...${about}
        value=${held}
        onInput=${change}
      />`;
    default:
      return html`<input
        type=${field.kind === "number" ? "text" : field.type}
        inputmode=${field.kind === "number" ? (field.whole ? "numeric" : "decimal") : undefined}
        dir="auto"
        autocomplete="off"
        ...${about}
        value=${held}
        onInput=${change}
      />`;
  }
}

/** @type {Record<string, string>} */
const PLACEHOLDERS = { list: "Each on a line of its own", json: "JSON" };

/** @param {{field: Field, holding: Holding}} props */
function Group({ field, holding }) {
  const fields = field.fields?.map((one) => html`<${FormField} key=${one.id} field=${one} holding=${holding} />`);
  const about = field.description && html`<p class="about">${field.description}</p>`;
  if (field.name === "") return html`${about}${fields}`;
  return html`<fieldset class="group">
    <legend>${field.label}</legend>
    ${about}${fields}
  </fieldset>`;
}

/** Several options, of which any number may be chosen. @param {{field: Field, holding: Holding}} props */
function Choices({ field, holding }) {
  const held = /** @type {string[]} */ (holding.held.value[field.id] ?? []);
  const toggle = (/** @type {string} */ at) =>
    hold(holding, field, held.includes(at) ? held.filter((one) => one !== at) : [...held, at]);
  const error = holding.errors.value[field.id];
  return html`<fieldset class="group" id=${idOf(holding, field)} tabindex="-1">
    <legend>${field.label}</legend>
    ${field.description && html`<p class="about">${field.description}</p>`}
    ${field.options?.map(
      ({ label }, n) =>
        html`<label key=${n} class="field flag">
          <input type="checkbox" checked=${held.includes(String(n))} onChange=${() => toggle(String(n))} />
          <span>${label}</span>
        </label>`,
    )}
    ${error && html`<small class="error">${error}</small>`}
  </fieldset>`;
}
