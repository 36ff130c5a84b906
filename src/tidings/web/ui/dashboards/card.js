import { useComputed, useSignal } from "@preact/signals";
import { html, inPage } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Markdown } from "../kit/markdown.js";
import { Menu } from "../kit/menu.js";
import { goAlert } from "../page/address.js";
import { serverRoot } from "../page/root.js";
import { watched } from "./alerts-state.js";
import { firedOn } from "./episodes-fold.js";
import { EventList } from "./event-list.js";
import { age } from "./figures-fold.js";
import { Grip } from "./grip.js";
import { cardMenu } from "./menus.js";
import { SeriesBody, useModel } from "./series-card.js";
import { draft } from "./state.js";

/** @typedef {import("./document-fold.js").Card} CardOf */

/** A card of the open dashboard. @param {{card: CardOf, place: number}} props */
export function Card({ card, place }) {
  if (card.kind === "text")
    return html`<${Frame} card=${card} place=${place}><${Markdown} text=${card.text ?? ""} /><//>`;
  if (card.kind === "events") return html`<${Frame} card=${card} place=${place}><${EventList} card=${card} /><//>`;
  return html`<${SeriesCard} key=${card.kind} card=${card} place=${place} />`;
}

/**
 * The frame of a card: title, menu, body and foot.
 * @param {{card: CardOf, place: number, tone?: string, chip?: any, foot?: any, children: any}} props
 */
function Frame({ card, place, tone = "", chip, foot, children }) {
  const items = cardMenu(card, place);
  return html`
    <section class=${`tile ${card.kind} ${tone}`} data-card=${card.id} aria-label=${card.title}>
      <header>
        ${draft.value && html`<${Grip} card=${card} />`}
        <h2>${card.title}</h2>
        ${chip}
        ${items.length > 0 && html`<${Menu} icon="ellipsis" label=${`Actions for ${card.title}`} items=${items} apart />`}
      </header>
      <div class="tile-body">${children}</div>
      ${foot && html`<footer>${foot}</footer>`}
    </section>
  `;
}

/** A card of series. @param {{card: CardOf, place: number}} props */
function SeriesCard({ card, place }) {
  const model = useModel(card);
  /** The names of the lines that were switched off. */
  const off = useSignal(/** @type {readonly string[]} */ ([]));
  const fired = useComputed(() => firedOn(card, watched.value));
  const status = model.status.value;
  const stale = model.stale.value && (status === "ready" || status === "silent");
  const chips = html`
    <${Firing} fired=${fired.value} />
    ${stale && html`<span class="chip amber"><${Icon} name="clock" size=${14} />Stale</span>`}
  `;
  return html`
    <${Frame}
      card=${card}
      place=${place}
      tone=${status === "failed" ? "failed" : stale ? "stale" : ""}
      chip=${chips}
      foot=${html`<${Foot} model=${model} />`}
    >
      <${SeriesBody} card=${card} model=${model} off=${off} fired=${fired} />
    <//>
  `;
}

/** The way to the alert that fires on a card. @param {{fired: readonly import("./episodes-fold.js").Fired[]}} props */
function Firing({ fired }) {
  const now = fired.find(({ to }) => to === null);
  if (!now) return null;
  return html`<a
    class="chip red"
    href=${`${serverRoot}a/${now.rule}`}
    title=${now.title}
    onClick=${inPage(() => goAlert(now.rule))}
    ><${Icon} name="triangle-alert" size=${14} />Firing</a
  >`;
}

/** The age of what is shown, and what is not drawn. @param {{model: import("./card-state.js").Model}} props */
function Foot({ model }) {
  const status = model.status.value;
  if (status === "failed" || status === "loading") return null;
  const silence = model.silence.value;
  const { usual } = model.rhythm.value;
  const notes = [model.reason.value, ...model.notes.value].filter(Boolean);
  const said = notes.length > 0 && html`<span class="note-line" title=${notes.join("\n")}>${notes[0]}</span>`;
  if (silence === null) return said;
  if (model.stale.value)
    return html`
      <span class="amber">No events for ${age(silence)}</span>
      ${said || (Number.isFinite(usual) && html`<span>usually each ${age(usual)}</span>`)}
    `;
  return html`<span>last update ${age(silence)} ago</span>${said}`;
}
