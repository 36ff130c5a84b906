import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { PhoneHeader } from "../kit/phone-header.js";
import { openProcess } from "../page/address.js";
import { compact } from "../page/layout.js";
import { counted, number } from "../text/format.js";
import { saveMap, saveTable } from "./export.js";
import { askForFilter } from "./filter-dialog.js";
import { announced, asTable, choose, paused, process, processTitle, stale, subject } from "./state.js";
import { stamp } from "./span-fold.js";

/** The header of a map, or of the list of processes. @param {{bell: any}} props `bell`: a phone shows it here */
export function ProcessHeader({ bell }) {
  const title = processTitle.value;
  const { figures } = process.value;
  const ready = !!openProcess.value && process.value.status === "ready" && figures !== null;
  // A phone has no room for both in one line.
  const events = ready && !(compact.value && figures.whole) ? `, ${counted(figures.events, "event")}` : "";
  const cases = ready ? `${casesOf(figures)}${events}` : "";
  const variants = subject.value !== null && "variants" in subject.value;
  const list = () => choose(variants ? null : { variants: true });
  const files = [
    { icon: "download", label: "Map as SVG", run: saveMap },
    .../** @type {const} */ (["edges", "activities", "variants"]).map((what) => ({
      icon: "download",
      label: `${what[0].toUpperCase()}${what.slice(1)} as CSV`,
      run: () => saveTable(what),
    })),
  ];
  if (compact.value) {
    const items = !ready
      ? []
      : [
          { icon: "pause", label: paused.value ? "Resume" : "Pause", run: pause },
          { icon: "plus", label: "Filter", run: askForFilter },
          { icon: "list-tree", label: "Variants", run: list },
          { icon: "file-text", label: asTable.value ? "Show the map" : "Show tables", run: turn },
          ...files,
        ];
    return html`<${PhoneHeader} title=${title} about=${cases} items=${items}>${ready && html`<${State} />`}${bell}<//>`;
  }
  return html`
    <header class="page-header process-header">
      <h1>${title}</h1>
      ${
        ready &&
        html`
          <${State} />
          <span class="about" title=${range(figures)}>${cases}</span>
          <button type="button" class="button" onClick=${pause}>
            ${!paused.value && html`<${Icon} name="pause" />`}${paused.value ? "Resume" : "Pause"}
          </button>
          <button type="button" class="quiet" aria-haspopup="dialog" onClick=${askForFilter}>Filter</button>
          <button type="button" class="quiet" aria-pressed=${String(variants)} onClick=${list}>Variants</button>
          <button type="button" class="quiet" aria-pressed=${String(asTable.value)} onClick=${turn}>Table</button>
          <${Menu} icon="download" label="Save" items=${files} />
        `
      }
    </header>
  `;
}

const pause = () => void (paused.value = !paused.value);
const turn = () => void (asTable.value = !asTable.value);

/** The number of cases, or of those that a filter selects. @param {import("./map-fold.js").Figures} figures */
const casesOf = ({ cases, whole }) =>
  whole ? `${number(cases)} of ${counted(whole.cases, "case")}` : counted(cases, "case");

/** The time that a process spans. @param {import("./map-fold.js").Figures} figures */
const range = ({ first, last }) => (first === null || last === null ? "" : `${stamp(first)} \u2013 ${stamp(last)}`);

/** The state of the figures: live, paused or stale. */
function State() {
  const { figures, since } = process.value;
  const missing = Math.max(0, announced.value - ((figures?.whole ?? figures)?.events ?? 0));
  if (paused.value)
    return html`<span class="chip" role="status">Paused${missing > 0 && `, ${counted(missing, "event")} since`}</span>`;
  if (stale.value)
    return html`<span class="chip" data-state="cut" title=${`Figures of ${stamp(since)}`}>
      <${Icon} name="clock" size=${14} />Not live
    </span>`;
  return html`<span class="chip" data-state="streaming" title=${`As of offset ${figures?.offset}`}
    ><i class="dot" />Live<span class="visually-hidden">, ${number(figures?.events ?? 0)} events</span></span
  >`;
}
