import { html } from "../kit/html.js";
import { goAlert } from "../page/address.js";
import { dialog } from "../page/layout.js";
import { AskForm } from "./ask-form.js";
import { CardForm } from "./card-form.js";
import { resized, without } from "./document-fold.js";
import { step } from "./grip.js";
import { change, draft, edit, mayEdit } from "./state.js";

/** Open the form of a card; null: of a new one. @param {import("./document-fold.js").Card | null} card */
export function openForm(card) {
  edit();
  dialog.value = { kind: "drawn", draw: () => html`<${CardForm} card=${card} />` };
}

/** Open the form that asks an assistant for a card. */
export function openAsking() {
  dialog.value = { kind: "drawn", draw: () => html`<${AskForm} />` };
}

/** The item that begins an alert rule for what a card shows. @param {import("./document-fold.js").Card} card */
function alertFor({ title, series, thresholds = [] }) {
  const [first] = series ?? [];
  if (!first) return null;
  const limit = thresholds.length > 0 ? String(thresholds[0]) : "";
  const rule = { title, topic: first.topic, field: first.field ?? "", by: first.by ?? "", limit };
  const given = first.field ? rule : { ...rule, kind: "rate", window: "1 min" };
  return { icon: "gauge", label: "New alert", run: () => goAlert("new", new URLSearchParams(given).toString()) };
}

/** The items of a card's menu. @param {import("./document-fold.js").Card} card @param {number} place @returns {import("../kit/menu.js").Item[]} */
export function cardMenu(card, place) {
  if (!mayEdit.value) return [];
  const alert = alertFor(card);
  const changing = { icon: "pencil", label: "Change card", run: () => openForm(card) };
  if (!draft.value) return alert ? [changing, alert] : [changing];
  const { length } = draft.value.cards;
  const resize = (/** @type {1 | -1} */ by) => () => change((board) => resized(board, card.id, by));
  return [
    changing,
    ...(place > 0 ? [{ icon: "chevron-left", label: "Move earlier", run: () => step(card, -1) }] : []),
    ...(place < length - 1 ? [{ icon: "chevron-right", label: "Move later", run: () => step(card, 1) }] : []),
    { label: "Wider", run: resize(1) },
    { label: "Narrower", run: resize(-1) },
    { icon: "trash-2", label: "Remove", danger: true, run: () => change((board) => without(board, card.id)) },
  ];
}
