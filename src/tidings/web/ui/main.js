import { render } from "preact";
import { html } from "./view/html.js";
import { load } from "./state/session.js";
import "./state/theme.js";
import { App } from "./view/app.js";

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));

/** The page itself was served, so the server is near: try until it answers. */
for (let wait = 250; ; wait = Math.min(wait * 2, 4000)) {
  try {
    await load();
    break;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
