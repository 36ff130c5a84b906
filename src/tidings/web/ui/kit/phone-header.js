import { drawer } from "../page/layout.js";
import { IconButton } from "./button.js";
import { html } from "./html.js";
import { Menu } from "./menu.js";

/**
 * The page header on a phone, with the side bar's button at the left and a menu at the right.
 * @param {{title: string, about: any, items: import("./menu.js").Item[], children?: any}} props `about`: a line below
 *   the title; `children`: buttons before the menu
 */
export const PhoneHeader = ({ title, about, items, children }) => html`
  <header class="page-header">
    <${IconButton}
      icon="menu"
      label="Open the side bar"
      size=${20}
      aria-expanded=${String(drawer.value)}
      onClick=${() => (drawer.value = true)}
    />
    <div class="titles">
      <h1>${title}</h1>
      ${about && html`<p>${about}</p>`}
    </div>
    ${children}
    <${Menu} icon="ellipsis" label="More" items=${items} />
  </header>
`;
