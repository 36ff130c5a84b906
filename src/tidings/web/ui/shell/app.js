import { useEffect } from "preact/hooks";
import { Tip } from "../answer/passage-tip.js";
import { ConversationPage } from "../conversation/page.js";
import { asideRun } from "../conversation/shown-state.js";
import { keepFocus } from "../kit/focus.js";
import { html } from "../kit/html.js";
import { lazy } from "../kit/lazy.js";
import { countOf } from "../notifications/bell.js";
import { centreOpen, unread } from "../notifications/state.js";
import { isLater, openRoom } from "../page/address.js";
import { announcement, asideOpen, compact, dialog, drawer, laterAside, signingIn, wide } from "../page/layout.js";
import { RoomPage } from "../room/page.js";
import { shownRoom } from "../room/shown-state.js";
import { session, signedOut } from "../session/state.js";
import { Toasts } from "../toasts/toasts.js";
import { Aside } from "./aside.js";
import { Banner } from "./banner.js";
import { Dialogs } from "./dialogs.js";
import { Header } from "./header.js";
import { Sidebar } from "./sidebar.js";
import { title } from "./title.js";
import { goUnread } from "./unread.js";

const Centre = lazy("Centre");
const LaterPage = lazy("LaterPage");
const SignIn = lazy("SignIn");

export function App() {
  const outside = signingIn.value || (signedOut.value && !session.value);
  useKeys(outside);
  useEffect(keepFocus, []);
  const name = outside ? "Sign in" : title();
  const badge = unread.value > 0 ? `(${countOf(unread.value)}) ` : "";
  useEffect(() => void (document.title = `${badge}${name} \u00b7 Tidings`), [badge, name]);
  if (outside) return html`<${SignIn} place=${title()} />`;
  const subject = openRoom.value ? !shownRoom.value?.shut.value : asideRun.value !== null;
  const aside = !centreOpen.value && (laterAside.value || (asideOpen.value && subject));
  const behind = (aside || centreOpen.value) && !wide.value;
  const covered = (compact.value && drawer.value) || behind;
  const column = !wide.value ? "" : centreOpen.value ? " with-centre" : aside ? " with-aside" : "";
  return html`
    <a class="skip" href="#composer" inert=${covered}>Skip to the composer</a>
    <div class=${`app${column}`}>
      <${Sidebar} behind=${behind} />
      <main class="page" inert=${covered}>
        <${Header} />
        <${Banner} />
        ${isLater.value ? html`<${LaterPage} />` : openRoom.value ? html`<${RoomPage} />` : html`<${ConversationPage} />`}
      </main>
      ${aside && html`<${Aside} />`} ${centreOpen.value && html`<${Centre} />`}
    </div>
    <${Toasts} />
    <${Tip} />
    <${Dialogs} />
    <p class="visually-hidden" role="status">${announcement.value}</p>
  `;
}

/** The steps of arrow keys. @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** Keyboard shortcuts of the whole page. @param {boolean} outside */
function useKeys(outside) {
  useEffect(() => {
    if (outside) return;
    const keys = (/** @type {KeyboardEvent} */ event) => {
      const writes = /** @type {Element} */ (event.target).closest("input, textarea, select");
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        dialog.value = { kind: "search" };
      } else if (event.altKey && !dialog.value && STEPS[event.key]) {
        // Before the composer, where an arrow key edits, and before the log, where it goes to the next message.
        event.preventDefault();
        event.stopPropagation();
        goUnread(STEPS[event.key]);
      } else if (event.key === "?" && !writes && !document.querySelector("dialog[open]"))
        dialog.value = { kind: "help" };
      else if (event.key === "F8")
        /** @type {HTMLElement | null} */ (document.querySelector(".toast:not([hidden], .leaving) button"))?.focus();
    };
    document.addEventListener("keydown", keys, true);
    return () => document.removeEventListener("keydown", keys, true);
  }, [outside]);
}
