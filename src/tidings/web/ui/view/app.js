import { useEffect } from "preact/hooks";
import { centreOpen, unread } from "../state/notifications.js";
import "../state/favicon.js";
import { session, signedOut } from "../state/session.js";
import { announcement, asideOpen, compact, dialog, drawer, open, openRoom, signingIn, wide } from "../state/shell.js";
import { Aside } from "./aside.js";
import { Banner } from "./banner.js";
import { countOf } from "./bell.js";
import { Centre } from "./centre.js";
import { Composer } from "./composer.js";
import { Dialogs } from "./dialogs.js";
import { Empty } from "./empty.js";
import { keepFocus } from "./focus.js";
import { Header, title } from "./header.js";
import { html } from "./html.js";
import { Log } from "./log.js";
import { RoomPage } from "./room.js";
import { Sidebar } from "./sidebar.js";
import { SignIn } from "./signin.js";
import { Tip } from "./tip.js";
import { Toasts } from "./toasts.js";

export function App() {
  const outside = signingIn.value || (signedOut.value && !session.value);
  useKeys(outside);
  useEffect(keepFocus, []);
  const name = outside ? "Sign in" : title();
  const badge = unread.value > 0 ? `(${countOf(unread.value)}) ` : "";
  useEffect(() => void (document.title = `${badge}${name} \u00b7 Tidings`), [badge, name]);
  if (outside) return html`<${SignIn} />`;
  const aside = asideOpen.value && !centreOpen.value;
  const covered = (compact.value && drawer.value) || ((aside || centreOpen.value) && !wide.value);
  const column = !wide.value ? "" : centreOpen.value ? " with-centre" : aside ? " with-aside" : "";
  return html`
    <a class="skip" href="#composer">Skip to the composer</a>
    <div class=${`app${column}`}>
      <${Sidebar} />
      <main class="page" inert=${covered}>
        <${Header} />
        <${Banner} />
        ${openRoom.value ? html`<${RoomPage} />` : html`<${ConversationPage} />`}
      </main>
      ${aside && html`<${Aside} />`}
      <${Centre} />
    </div>
    <${Toasts} />
    <${Tip} />
    <${Dialogs} />
    <p class="visually-hidden" role="status">${announcement.value}</p>
  `;
}

const ConversationPage = () => html`
  ${open.value === null ? html`<${Empty} />` : html`<${Log} key=${open.value} />`}
  <${Composer} />
`;

/** The keys of the whole page. @param {boolean} outside */
function useKeys(outside) {
  useEffect(() => {
    if (outside) return;
    const keys = (/** @type {KeyboardEvent} */ event) => {
      const writes = /** @type {Element} */ (event.target).closest("input, textarea, select");
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        dialog.value = { kind: "search" };
      } else if (event.key === "?" && !writes && !dialog.value) dialog.value = { kind: "help" };
      else if (event.key === "F8")
        /** @type {HTMLElement | null} */ (document.querySelector(".toast:not([hidden], .leaving) button"))?.focus();
    };
    document.addEventListener("keydown", keys);
    return () => document.removeEventListener("keydown", keys);
  }, [outside]);
}
