import { render } from "preact";
import * as connection from "./connection/state.js";
import * as conversationOutbox from "./conversation/outbox-state.js";
import * as conversationList from "./conversation/list-state.js";
import * as shownConversation from "./conversation/shown-state.js";
import * as files from "./files/state.js";
import { html } from "./kit/html.js";
import { loadLater, loadLaterFrom } from "./kit/lazy.js";
import * as desktop from "./notifications/desktop-state.js";
import * as favicon from "./notifications/favicon.js";
import * as notifications from "./notifications/state.js";
import * as address from "./page/address.js";
import * as serviceWorker from "./page/service-worker.js";
import * as theme from "./page/theme.js";
import * as outbox from "./outbox/state.js";
import * as people from "./people/state.js";
import * as roomOutbox from "./room/outbox-state.js";
import * as shownRoom from "./room/shown-state.js";
import * as rooms from "./rooms/state.js";
import * as session from "./session/state.js";
import * as version from "./shell/version-state.js";
import { App } from "./shell/app.js";

// Importing a module of the page does nothing by itself. Everything that goes on by itself starts here.
for (const { start } of [theme, address, connection, session]) start();
for (const { start } of [conversationList, conversationOutbox, shownConversation]) start();
for (const { start } of [people, rooms, shownRoom, roomOutbox, files, outbox]) start();
for (const { start } of [notifications, desktop, favicon]) start();
for (const { start } of [version, serviceWorker]) start();

loadLaterFrom(() => import("./later.js"));
for (const use of ["pointerdown", "keydown"]) addEventListener(use, () => void loadLater(), { once: true });
// The service worker holds that module once it is ready.
void navigator.serviceWorker?.ready.then(loadLater);

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren(); // the first paint
render(html`<${App} />`, root);

/** Ask who the person is until the server answers: it has just served this page, so it is near. */
async function begin() {
  for (let wait = 250; ; wait = Math.min(wait * 2, 4000)) {
    try {
      return await session.load();
    } catch {
      await session.loadHeld();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
void begin();
