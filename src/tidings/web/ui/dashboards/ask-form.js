import { useSignal } from "@preact/signals";
import { textOf } from "../answer/fold.js";
import { runSignal, stop } from "../answer/state.js";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { cardIn } from "./asking-fold.js";
import { askForCard, maker } from "./asking-state.js";
import { put } from "./document-fold.js";
import { EventList } from "./event-list.js";
import { SeriesBody, useModel } from "./series-card.js";
import { change, edit, shownBoard } from "./state.js";

/** States of a run that is over. */
const OVER = ["finished", "stopped", "interrupted", "failed"];

/** Ask an assistant for a card, and look at the card before it is kept. */
export function AskForm() {
  const run = useSignal("");
  const failed = useSignal("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("text") ?? "").trim();
    [run.value, failed.value] = ["", ""];
    try {
      run.value = await askForCard(text);
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
  };
  return html`
    <${Modal} title="Ask for a card" wide>
      <form class="card-form" onSubmit=${submit}>
        <label class="field"
          ><span>What should the card show?</span
          ><input name="text" required maxlength="500" placeholder="Paid orders per minute, by country" data-first
        /></label>
        <p>${maker.value?.title} reads the names of topics and the last event of each. It can be wrong.</p>
        ${failed.value && html`<p class="error" role="alert">${failed.value}</p>`}
        ${run.value && html`<${Answer} key=${run.value} id=${run.value} />`}
        <div class="choices">
          <button type="button" class="button" onClick=${close}>Cancel</button>
          <button type="submit" class=${run.value ? "button" : "button primary"}>
            ${run.value ? "Ask again" : "Ask"}
          </button>
        </div>
      </form>
    <//>
  `;
}

/** The answer of the assistant: it is awaited, is a card, or is none. @param {{id: string}} props */
function Answer({ id }) {
  const run = runSignal(id).value;
  if (!OVER.includes(run.state))
    return html`<p role="status">
      Waiting for the card${" "}
      <button type="button" class="button" onClick=${() => void stop(id)}>Stop</button>
    </p>`;
  if (run.state !== "finished")
    return html`<p class="error" role="alert">No card was made. ${run.error?.message ?? ""}</p>`;
  try {
    const card = cardIn(textOf(run), shownBoard.value?.cards ?? []);
    return html`<${Preview} key=${id} text=${JSON.stringify(card)} />`;
  } catch (error) {
    return html`<p class="error" role="alert">No card was made. ${/** @type {Error} */ (error).message}</p>`;
  }
}

/** The card as the dashboard would show it. @param {{text: string}} props `text`: the card's JSON */
function Preview({ text }) {
  const card = useSignal(JSON.parse(text)).value;
  const keep = () => {
    edit();
    change((board) => put(board, card));
    close();
  };
  return html`
    <section class="tile asked-card" aria-label=${card.title}>
      <header><h2>${card.title}</h2></header>
      <div class="tile-body">
        ${card.kind === "events" ? html`<${EventList} card=${card} />` : html`<${Body} card=${card} />`}
      </div>
    </section>
    <button type="button" class="button primary" onClick=${keep}>Keep the card</button>
  `;
}

/** @param {{card: import("./document-fold.js").Card}} props */
function Body({ card }) {
  const model = useModel(card);
  const off = useSignal(/** @type {readonly string[]} */ ([]));
  const fired = useSignal([]);
  return html`<${SeriesBody} card=${card} model=${model} off=${off} fired=${fired} />`;
}
