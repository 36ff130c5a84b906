/** The places that are drawn by modules that are loaded later: pages of the documentation, and maps of processes. */
import { DocHeader, DocPage } from "../docs/page.js";
import { docTitle } from "../docs/state.js";
import { html } from "../kit/html.js";
import { openDoc } from "../page/address.js";
import { ProcessAside } from "../processes/aside.js";
import { ProcessHeader } from "../processes/header.js";
import { ProcessPage } from "../processes/page.js";
import { processTitle } from "../processes/state.js";

/** The title of the open place. */
export const laterTitle = () => (openDoc.value ? docTitle.value : processTitle.value);

/** @param {{bell: any}} props `bell`: a phone shows it here, other pages in the side bar */
export const LaterHeader = ({ bell }) =>
  openDoc.value ? html`<${DocHeader} bell=${bell} />` : html`<${ProcessHeader} bell=${bell} />`;

export const LaterPage = () => (openDoc.value ? html`<${DocPage} />` : html`<${ProcessPage} />`);

export const LaterAside = ProcessAside;
