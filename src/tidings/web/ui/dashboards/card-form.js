import { useSignal } from "@preact/signals";
import { IconButton } from "../kit/button.js";
import { Modal, close } from "../kit/dialog.js";
import { html, valueOf } from "../kit/html.js";
import { AGGREGATIONS, KINDS, WIDTHS, aggOf, cardOf, idFor, put, widthOf } from "./document-fold.js";
import { change, shownBoard } from "./state.js";

/** @typedef {import("./document-fold.js").Card} Card */

/** The most lines of a card. */
const MOST = 5;

/** The texts of a line's fields. @typedef {{topic: string, field: string, agg: string, by: string, label: string}} Row */

/** @param {import("./document-fold.js").Series} series @returns {Row} */
const rowOf = (series) => ({
  topic: series.topic,
  field: series.field ?? "",
  agg: aggOf(series),
  by: series.by ?? "",
  label: series.label ?? "",
});

/** @type {Row} */
const NEW = { topic: "", field: "", agg: "rate", by: "", label: "" };

/** The form of a card. @param {{card: Card | null}} props null: a new card */
export function CardForm({ card }) {
  const kind = useSignal(/** @type {string} */ (card?.kind ?? "line"));
  const rows = useSignal(card?.series?.map(rowOf) ?? [NEW]);
  const failed = useSignal("");
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const text = (/** @type {string} */ name) => String(form.get(name) ?? "");
    const names = ["title", "width", "text", "unit", "thresholds", "min", "max"];
    const texts = Object.fromEntries(names.map((name) => [name, text(name)]));
    const one =
      kind.value === "events"
        ? rows.value.slice(0, 1).map((row) => ({ ...row, field: "", agg: "rate", by: "" }))
        : rows.value;
    try {
      const id = card?.id ?? idFor(texts.title, shownBoard.value?.cards ?? []);
      const made = cardOf({ ...texts, kind: kind.value, series: JSON.stringify(one) }, id);
      change((board) => put(board, made));
      close();
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
  };
  const plain = kind.value === "text" || kind.value === "events";
  const drawn = ["line", "area", "bar", "gauge"].includes(kind.value);
  return html`
    <${Modal} title=${card ? "Change card" : "Add a card"} wide>
      <form class="card-form" onSubmit=${submit}>
        <label class="field"
          ><span>Title</span><input name="title" required maxlength="100" defaultValue=${card?.title ?? ""} data-first
        /></label>
        <div class="pair">
          <label class="field"
            ><span>Kind</span
            ><select value=${kind.value} onChange=${(/** @type {Event} */ event) => (kind.value = valueOf(event))}>
              ${KINDS.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}
            </select></label
          >
          <label class="field"
            ><span>Width</span
            ><select name="width">
              ${WIDTHS.map(
                (width) =>
                  html`<option key=${width} value=${width} selected=${width === (card ? widthOf(card) : 6)}>
                    ${width} of 12 columns
                  </option>`,
              )}
            </select></label
          >
        </div>
        ${
          kind.value === "text"
            ? html`<label class="field"
                ><span>Text, in Markdown</span
                ><textarea name="text" rows="6" maxlength="4000">${card?.text ?? ""}</textarea>
              </label>`
            : html`<${SeriesFields} rows=${rows} one=${kind.value === "events"} />`
        }
        ${
          !plain &&
          html`<div class="pair">
            <label class="field"
              ><span>Unit</span
              ><input name="unit" maxlength="20" placeholder="s, bytes, %, orders/s" defaultValue=${card?.unit ?? ""}
            /></label>
            <label class="field"
              ><span>Thresholds</span
              ><input name="thresholds" placeholder="200 500" defaultValue=${(card?.thresholds ?? []).join(" ")}
            /></label>
          </div>`
        }
        ${
          drawn &&
          html`<div class="pair">
            <label class="field"
              ><span>Axis from</span
              ><input name="min" inputmode="decimal" placeholder="automatic" defaultValue=${card?.min ?? ""}
            /></label>
            <label class="field"
              ><span>Axis to</span
              ><input name="max" inputmode="decimal" placeholder="automatic" defaultValue=${card?.max ?? ""}
            /></label>
          </div>`
        }
        ${failed.value && html`<p class="error" role="alert">${failed.value}</p>`}
        <div class="choices">
          <button type="button" class="button" onClick=${close}>Cancel</button>
          <button type="submit" class="button primary">${card ? "Take over" : "Add card"}</button>
        </div>
      </form>
    <//>
  `;
}

/** The fields of a card's lines. @param {{rows: import("@preact/signals").Signal<Row[]>, one: boolean}} props `one`: only a topic is asked for */
function SeriesFields({ rows, one }) {
  const set = (/** @type {number} */ at, /** @type {keyof Row} */ name) => (/** @type {Event} */ event) =>
    void (rows.value = rows.value.map((row, n) => (n === at ? { ...row, [name]: valueOf(event) } : row)));
  const input = (
    /** @type {Row} */ row,
    /** @type {number} */ at,
    /** @type {keyof Row} */ name,
    /** @type {string} */ label,
    /** @type {string} */ hint,
  ) =>
    html`<label class="field"
      ><span>${label}</span
      ><input placeholder=${hint} value=${row[name]} onInput=${set(at, name)} spellcheck=${false} autocapitalize="off"
    /></label>`;
  const shown = one ? rows.value.slice(0, 1) : rows.value;
  return html`
    ${shown.map(
      (row, at) => html`
        <fieldset class="series" key=${at}>
          <legend class="visually-hidden">Line ${at + 1}</legend>
          ${input(row, at, "topic", "Topic", "orders.paid")}
          ${
            !one &&
            html`
              <div class="pair">
                ${input(row, at, "field", "Field of the number", "none: the events")}
                <label class="field"
                  ><span>Shown value</span
                  ><select value=${row.agg} onChange=${set(at, "agg")}>
                    ${AGGREGATIONS.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}
                  </select></label
                >
              </div>
              <div class="pair">
                ${input(row, at, "by", "One line for each", "country")} ${input(row, at, "label", "Name", "automatic")}
              </div>
              ${
                rows.value.length > 1 &&
                html`<${IconButton}
                  icon="trash-2"
                  label=${`Remove line ${at + 1}`}
                  onClick=${() => (rows.value = rows.value.filter((_, n) => n !== at))}
                />`
              }
            `
          }
        </fieldset>
      `,
    )}
    ${
      !one &&
      rows.value.length < MOST &&
      html`<button
        type="button"
        class="quiet"
        onClick=${() => (rows.value = [...rows.value, { ...NEW, topic: rows.value.at(-1)?.topic ?? "" }])}
      >
        Add a series
      </button>`
    }
  `;
}
