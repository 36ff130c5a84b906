import { useEffect } from "preact/hooks";
import { html, valueOf } from "../kit/html.js";
import { Nothing } from "../kit/nothing.js";
import { goDashboard, openDashboard } from "../page/address.js";
import { unwatch, watch } from "./alerts-state.js";
import { maker } from "./asking-state.js";
import { Card } from "./card.js";
import { useClock } from "./clock.js";
import { refusal, topicsOf, widthOf } from "./document-fold.js";
import { RANGES, rangeName } from "./figures-fold.js";
import { openAsking, openForm } from "./menus.js";
import * as state from "./state.js";

/** The open dashboard. */
export function Board() {
  const id = /** @type {string} */ (openDashboard.value);
  useEffect(() => {
    void state.open(id);
    return state.close;
  }, [id]);
  useClock();
  const topics = JSON.stringify(topicsOf(state.shownBoard.value?.cards ?? []));
  useEffect(() => void watch(JSON.parse(topics)), [topics]);
  useEffect(() => unwatch, []);
  const isChanged = state.draft.value !== null;
  useEffect(() => {
    if (!isChanged) return;
    const ask = (/** @type {Event} */ event) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isChanged]);
  const { status, reason } = state.opened.value;
  const board = state.shownBoard.value;
  const all = html`<button type="button" class="button primary" onClick=${() => goDashboard("")}>
    All dashboards
  </button>`;
  if (status === "missing")
    return html`<${Nothing} title="Dashboard not found" text="It may have been deleted, or the link is incomplete."
      >${all}<//
    >`;
  if (status === "failed")
    return html`<${Nothing} title="Dashboard not shown" text=${reason}>
      <button type="button" class="button primary" onClick=${() => void state.open(id)}>Try again</button>${all}
    <//>`;
  return html`
    ${state.draft.value && html`<${EditBar} board=${state.draft.value} />`}
    <div class="board" id="composer" tabindex="0" role="region" aria-label=${board?.title ?? "Dashboard"}>
      ${!board && html`<p class="visually-hidden" role="status">Loading the dashboard</p>`}
      <div class="tiles">
        ${(board?.cards ?? []).map(
          (card, place) =>
            html`<div key=${card.id} class=${`span-${widthOf(card)}`}><${Card} card=${card} place=${place} /></div>`,
        )}
      </div>
      ${
        board?.cards.length === 0 &&
        html`<div class="no-cards">
          <h2>No cards yet</h2>
          <p>A card shows the events of a topic: their rate, or a number in them.</p>
          ${state.mayEdit.value && html`<button type="button" class="button primary" onClick=${() => openForm(null)}>Add a card</button>`}
          ${state.mayEdit.value && html`<${AskButton} />`}
        </div>`
      }
    </div>
  `;
}

/** The way to a card that an assistant makes. Without a model there is none. */
const AskButton = () =>
  maker.value && html`<button type="button" class="button" onClick=${openAsking}>Ask for a card</button>`;

/** The bar above a dashboard that is being changed. @param {{board: import("./document-fold.js").Dashboard}} props */
function EditBar({ board }) {
  const titled = (/** @type {Event} */ event) => {
    const title = valueOf(event);
    state.change((one) => ({ ...one, title }));
  };
  const ranged = (/** @type {Event} */ event) => {
    const seconds = Number(valueOf(event));
    state.change((one) => ({ ...one, range: seconds }));
  };
  const first = board.range ?? 300;
  const ranges = RANGES.some(([seconds]) => seconds === first) ? RANGES : [...RANGES, [first, rangeName(first)]];
  return html`
    <form
      class="edit-bar"
      aria-label="Change the dashboard"
      onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), void state.save())}
    >
      <label><span>Title</span><input value=${board.title} required maxlength="100" onInput=${titled} /></label>
      <label
        ><span>Range</span
        ><select value=${String(first)} onChange=${ranged}>
          ${ranges.map(([seconds, name]) => html`<option key=${seconds} value=${String(seconds)}>${name}</option>`)}
        </select></label
      >
      <button type="button" class="button" onClick=${() => openForm(null)}>Add a card</button>
      <${AskButton} />
      <span class="space" />
      <button type="button" class="button" onClick=${state.discard}>Discard</button>
      <button type="submit" class="button primary">Save</button>
    </form>
    ${state.refused.value && html`<p class="board-note red" role="alert">Not saved. ${refusedText(board, state.refused.value)}</p>`}
    ${state.theirs.value && html`<${Conflict} theirs=${state.theirs.value} />`}
  `;
}

/** A refusal, with the card and the field that it names. @param {import("./document-fold.js").Dashboard} board @param {string} message */
function refusedText(board, message) {
  const { card, member, reason } = refusal(message);
  const title = card === null ? undefined : board.cards[card]?.title;
  return title === undefined ? reason : `${title}${member ? `, ${member}` : ""}: ${reason}`;
}

/** Both versions, when somebody else has saved one meanwhile. @param {{theirs: import("./state.js").Version}} props */
const Conflict = ({ theirs }) => html`
  <div class="board-note amber" role="alert">
    <p>
      <b>Somebody else has saved this dashboard meanwhile.</b> Theirs is “${theirs.dashboard.title}” with
      ${" "}${theirs.dashboard.cards.length} cards. Yours is not saved yet.
    </p>
    <button type="button" class="button" onClick=${state.discard}>Take theirs</button>
    <button type="button" class="button" onClick=${() => void state.save(theirs.offset)}>Save mine instead</button>
  </div>
`;
