import { useEffect } from "preact/hooks";
import { session, signedOut } from "../state/session.js";
import { announcement, asideOpen, compact, dialog, drawer, open, signingIn, wide } from "../state/shell.js";
import { Aside } from "./aside.js";
import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { Dialogs } from "./dialogs.js";
import { Empty } from "./empty.js";
import { Header, title } from "./header.js";
import { html } from "./html.js";
import { Log } from "./log.js";
import { Sidebar } from "./sidebar.js";
import { SignIn } from "./signin.js";
import { Tip } from "./tip.js";

export function App() {
  const outside = signingIn.value || (signedOut.value && !session.value);
  useKeys(outside);
  const name = outside ? "Sign in" : title();
  useEffect(() => void (document.title = `${name} \u00b7 Tidings`), [name]);
  if (outside) return html`<${SignIn} />`;
  const covered = (compact.value && drawer.value) || (asideOpen.value && !wide.value);
  const empty = open.value === null;
  return html`
    <a class="skip" href="#composer">Skip to the composer</a>
    <div class=${asideOpen.value && wide.value ? "app with-aside" : "app"}>
      <${Sidebar} />
      <main class="page" inert=${covered}>
        <${Header} />
        <${Banner} />
        ${empty ? html`<${Empty} />` : html`<${Log} key=${open.value} />`}
        <${Composer} />
      </main>
      <${Aside} />
    </div>
    <${Tip} />
    <${Dialogs} />
    <p class="visually-hidden" role="status">${announcement.value}</p>
  `;
}

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
    };
    document.addEventListener("keydown", keys);
    return () => document.removeEventListener("keydown", keys);
  }, [outside]);
}
