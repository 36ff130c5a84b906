import { connectionStatus } from "../connection/state.js";
import { ConfirmDialog } from "../connection/dialog-form.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { PhoneHeader } from "../kit/phone-header.js";
import { openDashboard } from "../page/address.js";
import { announcement, compact, dialog, partTitle } from "../page/layout.js";
import { counted } from "../text/format.js";
import { download } from "./files.js";
import { RANGES } from "./figures-fold.js";
import { draft, edit, mayEdit, opened, remove, shownBoard } from "./state.js";
import { MOST_COMPARED, asTables, buffered, comparing, pause, range, resume, showRange, zoom } from "./view-state.js";

/** The header of a dashboard, or of the list. @param {{bell: any}} props `bell`: a phone shows it here, other pages in the side bar */
export function DashboardHeader({ bell }) {
  const board = openDashboard.value ? shownBoard.value : null;
  const title = board?.title ?? partTitle.value;
  const waiting = buffered.value;
  const turn = () => {
    if (waiting === null) pause();
    else resume();
    announcement.value = waiting === null ? "Paused" : "Live";
  };
  const word = waiting === null ? "Pause" : "Resume";
  if (compact.value) {
    const ranges = RANGES.map(([seconds, label]) => ({
      label,
      checked: range.value === seconds && !zoom.value,
      run: () => showRange(seconds),
    }));
    const items = board
      ? [...ranges, { icon: waiting === null ? "pause" : "radio", label: word, run: turn }, ...more(board)]
      : [];
    return html`<${PhoneHeader} title=${title} about=${board && html`<${Status} />`} items=${items}>${bell}<//>`;
  }
  if (!board) return html`<header class="page-header"><h1>${title}</h1></header>`;
  return html`
    <header class="page-header dashboard-header">
      <h1>${title}</h1>
      <${Status} />
      <span class="space" />
      <div class="ranges" role="group" aria-label="Range">
        ${RANGES.map(
          ([seconds, name]) => html`
            <button
              key=${seconds}
              type="button"
              aria-pressed=${String(range.value === seconds && !zoom.value)}
              onClick=${() => showRange(seconds)}
            >
              ${name}
            </button>
          `,
        )}
      </div>
      ${
        zoom.value
          ? html`<button type="button" class="button" onClick=${() => showRange(range.value)}>Back to live</button>`
          : html`<button type="button" class="button" onClick=${turn}>
              <${Icon} name=${waiting === null ? "pause" : "radio"} />${word}
            </button>`
      }
      <button
        type="button"
        class="button"
        aria-pressed=${String(asTables.value)}
        title="Tables in place of the charts"
        onClick=${() => (asTables.value = !asTables.value)}
      >
        Tables
      </button>
      <${Menu} icon="ellipsis" label="More" items=${more(board)} />
    </header>
  `;
}

/** The span that the charts show: the present, a pause or a part of the past. */
function Status() {
  if (buffered.value !== null)
    return html`<span class="chip amber">Paused. ${counted(buffered.value, "event")} buffered.</span>`;
  if (zoom.value) return html`<span class="chip">A part of the past</span>`;
  const live = connectionStatus.value === "live" || connectionStatus.value === "back";
  return live
    ? html`<span class="chip live"><i class="dot" />Live</span>`
    : html`<span class="chip"><i class="dot hollow" />Not live</span>`;
}

/** @param {import("./document-fold.js").Dashboard} board @returns {import("../kit/menu.js").Item[]} */
function more(board) {
  const { id, version } = opened.value;
  const compare = {
    icon: "history",
    label: "Compare with the day before",
    checked: comparing.value,
    run: () => void (comparing.value = !comparing.value),
  };
  const tables = { label: asTables.value ? "Charts" : "Tables", run: () => void (asTables.value = !asTables.value) };
  return [
    ...(range.value <= MOST_COMPARED ? [compare] : []),
    ...(compact.value ? [tables] : []),
    ...(mayEdit.value && !draft.value ? [{ icon: "pencil", label: "Edit", run: edit }] : []),
    { icon: "download", label: "Export as a file", run: () => download(id, board) },
    ...(mayEdit.value && version && version.offset !== null
      ? [{ icon: "trash-2", label: "Delete", danger: true, run: () => askToDelete(id, board.title) }]
      : []),
  ];
}

/** @param {string} id @param {string} title */
function askToDelete(id, title) {
  const run = () => remove(id);
  dialog.value = {
    kind: "drawn",
    draw: () =>
      html`<${ConfirmDialog} title="Delete dashboard" what=${title} act="Delete" run=${run}>
        The dashboard goes for everybody. The topics that it shows stay.
      <//>`,
  };
}
