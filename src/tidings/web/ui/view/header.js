import { isLive } from "../folds/run.js";
import { download } from "../state/export.js";
import { titled, titleFor } from "../state/library.js";
import { lettersOf } from "../state/outbox.js";
import { summary } from "../state/rooms.js";
import { runSignal } from "../state/runs.js";
import { asideOpen, asideRun, compact, dialog, open, openAside, shown, shownRoom } from "../state/shell.js";
import { counted } from "../text/format.js";
import { html, IconButton } from "./html.js";
import { Menu } from "./menu.js";
import { PhoneHeader } from "./phone-header.js";
import { RoomHeader } from "./room-header.js";
import { label, wordsOf } from "./state.js";

/** The title of the open conversation; it may be asked before the list tells of it. */
export function title() {
  if (shownRoom.value)
    return `#${shownRoom.value.about.value?.name ?? summary(shownRoom.value.id)?.name ?? shownRoom.value.id}`;
  if (!open.value) return "New conversation";
  const first = shown.value?.turns.value[0]?.[0].question ?? lettersOf(open.value)[0]?.question;
  return titled(open.value) ?? (first ? titleFor(first) : "Conversation");
}

export function Header() {
  return shownRoom.value ? html`<${RoomHeader} />` : html`<${ConversationHeader} />`;
}

function ConversationHeader() {
  const id = open.value;
  const search = () => (dialog.value = { kind: "search" });
  const some = id && shown.value && shown.value.turns.value.length > 0;
  const exports = [
    { icon: "file-text", label: "Download as Markdown", run: () => download(title(), "md") },
    { icon: "database", label: "Download as JSON", run: () => download(title(), "json") },
  ];
  const more = [
    { icon: "pencil", label: "Rename", run: () => void (id && (dialog.value = { kind: "rename", id })) },
    { icon: "trash-2", label: "Delete", danger: true, run: () => void (id && (dialog.value = { kind: "delete", id })) },
  ];
  const aside = asideRun.value && !asideOpen.value;
  if (compact.value) {
    const all = [
      ...(aside ? [{ icon: "list-tree", label: "Run and sources", run: () => openAside(true) }] : []),
      { icon: "search", label: "Search", run: search },
      ...(some ? exports : []),
      ...(titled(id ?? "") ? more : []),
    ];
    return html`<${PhoneHeader} title=${title()} about=${about()} items=${all} />`;
  }
  return html`
    <header class="page-header">
      <h1>${title()}</h1>
      ${id && html`<${IconButton} icon="search" label="Search" keys="Ctrl K" onClick=${search} />`}
      ${some && html`<${Menu} icon="download" label="Download" items=${exports} />`}
      ${id && titled(id) && html`<${Menu} icon="ellipsis" label="More" items=${more} />`}
      ${aside && html`<${IconButton} icon="panel-right-open" label="Show the run" onClick=${() => openAside(true)} />`}
    </header>
  `;
}

/** How the run is, where there is no aside to say so. */
function about() {
  const run = asideRun.value && runSignal(asideRun.value).value;
  if (!run || run.state === "unread") return null;
  const tokens = run.tokens !== null ? counted(run.tokens, "token") : counted(wordsOf(run), "word");
  return html`<span class=${isLive(run) ? "tide" : ""}>${label(run)}</span> · ${tokens}`;
}
