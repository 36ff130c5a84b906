import { isLive } from "../answer/fold.js";
import { isCut, label, wordsOf } from "../answer/state-chip.js";
import { runSignal } from "../answer/state.js";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { callLate } from "../kit/lazy.js";
import { Menu } from "../kit/menu.js";
import { PhoneHeader } from "../kit/phone-header.js";
import { Bell } from "../notifications/bell.js";
import { open } from "../page/address.js";
import { asideOpen, compact, dialog, openAside, wide } from "../page/layout.js";
import { counted } from "../text/format.js";
import { titled } from "./list-state.js";
import { asideRun, conversationTitle, shown } from "./shown-state.js";

export function ConversationHeader() {
  const id = open.value;
  const search = () => (dialog.value = { kind: "search" });
  const some = id && shown.value && shown.value.turns.value.length > 0;
  const save = (/** @type {string} */ form) => void callLate("download", conversationTitle(), form);
  const exports = [
    { icon: "file-text", label: "Download as Markdown", run: () => save("md") },
    { icon: "database", label: "Download as JSON", run: () => save("json") },
  ];
  const more = [
    { icon: "pencil", label: "Rename", run: () => void (id && (dialog.value = { kind: "rename", id })) },
    { icon: "trash-2", label: "Delete", danger: true, run: () => void (id && (dialog.value = { kind: "delete", id })) },
  ];
  // The button stays below an overlay, so that the focus can return to it.
  const aside = asideRun.value && !(wide.value && asideOpen.value);
  if (compact.value) {
    const all = [
      ...(aside ? [{ icon: "list-tree", label: "Run details and sources", run: () => openAside(true) }] : []),
      { icon: "search", label: "Search", run: search },
      ...(some ? exports : []),
      ...(titled(id ?? "") ? more : []),
    ];
    return html`<${PhoneHeader} title=${conversationTitle()} about=${about()} items=${all}><${Bell} size=${20} /><//>`;
  }
  return html`
    <header class="page-header">
      <h1>${conversationTitle()}</h1>
      ${id && html`<${IconButton} icon="search" label="Search" keys="Ctrl K" onClick=${search} />`}
      ${some && html`<${Menu} icon="download" label="Download" items=${exports} />`}
      ${id && titled(id) && html`<${Menu} icon="ellipsis" label="More" items=${more} />`}
      ${aside && html`<${IconButton} icon="panel-right-open" label="Run details and sources" onClick=${() => openAside(true)} />`}
    </header>
  `;
}

/** The state of the run, while no aside shows it. */
function about() {
  const run = asideRun.value && runSignal(asideRun.value).value;
  if (!run || run.state === "unread") return null;
  const tokens = run.tokens !== null ? counted(run.tokens, "token") : counted(wordsOf(run), "word");
  return html`<span class=${isLive(run) && !isCut(run) ? "tide" : ""}>${label(run)}</span> · ${tokens}`;
}
