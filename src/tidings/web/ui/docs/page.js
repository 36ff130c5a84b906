import { useLayoutEffect } from "preact/hooks";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { Markdown } from "../kit/markdown.js";
import { Nothing } from "../kit/nothing.js";
import { PhoneHeader } from "../kit/phone-header.js";
import { go, openDoc } from "../page/address.js";
import { compact, dialog } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { cutOut, withWholeLinks } from "./passage.js";
import { docPage, docTitle, readDoc } from "./state.js";

/** The header of a page of the documentation. @param {{bell: any}} props `bell`: a phone shows it here, other pages in the side bar */
export function DocHeader({ bell }) {
  const search = () => (dialog.value = { kind: "search" });
  const title = docTitle.value;
  const path = openDoc.value?.path;
  if (compact.value)
    return html`<${PhoneHeader} title=${title} about=${path} items=${[{ icon: "search", label: "Search", run: search }]}
      >${bell}<//
    >`;
  return html`
    <header class="page-header">
      <h1>${title}</h1>
      <code class="doc-path">${path}</code>
      <${IconButton} icon="search" label="Search" keys="Ctrl K" onClick=${search} />
    </header>
  `;
}

/** A page of the documentation, at the passage that a source names. */
export function DocPage() {
  const { state, text } = docPage.value;
  const lines = openDoc.value?.lines ?? null;
  const open = openDoc.value?.path;
  // A layout effect, so that the page before is not painted once more.
  useLayoutEffect(() => {
    if (open && docPage.peek().path !== open) void readDoc(open);
  }, [open]);
  useLayoutEffect(() => {
    const passage = document.getElementById("passage");
    passage?.scrollIntoView({ block: "center" });
    passage?.focus({ preventScroll: true });
  }, [state, lines]);
  const { path } = docPage.value;
  const begin = html`<button type="button" class="button" onClick=${() => go(null)}>New conversation</button>`;
  if (state === "missing")
    return html`<${Nothing} title="Page not found" text="The documentation of this server has no such page.">
      ${begin}
    <//>`;
  if (state === "failed")
    return html`<${Nothing} title="Page not loaded" text="The server cannot be reached.">
      <button type="button" class="button primary" onClick=${() => void readDoc(path)}>Try again</button>
    <//>`;
  const base = new URL(serverRoot + path, location.href).href;
  const { before, passage, after } = cutOut(text.replace(/^# .*$/m, ""), lines);
  const piece = (/** @type {string} */ some) => some.trim() && html`<${Markdown} text=${withWholeLinks(some, base)} />`;
  return html`
    <div class="doc" tabindex="0" role="region" aria-label=${docTitle.value} id="composer">
      <div class="doc-column">
        ${state === "loading" && html`<p class="reading">Loading page</p>`} ${piece(before)}
        ${passage && html`<section id="passage" aria-label="Cited passage" tabindex="-1">${piece(passage)}</section>`}
        ${piece(after)}
      </div>
    </div>
  `;
}
