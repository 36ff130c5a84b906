import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html, inPage } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Modal, close } from "../kit/dialog.js";
import { goDashboard } from "../page/address.js";
import { dialog, partTitle } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { VERSION, imported } from "./document-fold.js";
import { textOf } from "./files.js";
import { create, list, listFailed, mayEdit, readList } from "./state.js";

/** The list of all dashboards, where new ones begin. */
export function DashboardList() {
  useEffect(() => {
    partTitle.value = "Dashboards";
    void readList();
  }, []);
  const begin = () => (dialog.value = { kind: "drawn", draw: () => html`<${NewForm} />` });
  return html`
    <div class="boards" id="composer" tabindex="0" role="region" aria-label="Dashboards">
      <div class="boards-column">
        <p>Charts of the events of topics: what was, and what comes, without a request for each change.</p>
        ${
          listFailed.value &&
          html`<div class="tile-state" role="alert">
            <p>${listFailed.value}</p>
            <button type="button" class="button" onClick=${() => void readList()}>Try again</button>
          </div>`
        }
        ${!list.value && !listFailed.value && html`<p role="status">Loading dashboards</p>`}
        <ul>
          ${(list.value ?? []).map(
            ({ id, title }) =>
              html`<li key=${id}>
                <a href=${`${serverRoot}d/${id}`} onClick=${inPage(() => goDashboard(id))}>
                  <${Icon} name="layout-dashboard" /><span dir="auto">${title}</span>
                </a>
              </li>`,
          )}
        </ul>
        ${
          mayEdit.value &&
          html`<div class="ways">
            <button type="button" class="button primary" onClick=${begin}><${Icon} name="plus" />New dashboard</button>
            <${Import} />
          </div>`
        }
      </div>
    </div>
  `;
}

/** A button that imports a file. */
function Import() {
  const failed = useSignal("");
  const take = async (/** @type {Event} */ event) => {
    const field = /** @type {HTMLInputElement} */ (event.currentTarget);
    const [file] = field.files ?? [];
    if (!file) return;
    failed.value = "";
    try {
      await create(imported(await textOf(file)));
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
    field.value = ""; // the same file can be chosen again
  };
  return html`
    <label class="button file">
      Import a file<input type="file" class="visually-hidden" accept=".json,application/json" onChange=${take} />
    </label>
    ${failed.value && html`<p class="error" role="alert">Not imported. ${failed.value}</p>`}
  `;
}

/** The form of a new dashboard. */
function NewForm() {
  const failed = useSignal("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const title = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("title") ?? "").trim();
    try {
      await create({ version: VERSION, title, cards: [] });
      close();
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
  };
  return html`
    <${Modal} title="New dashboard">
      <form onSubmit=${submit}>
        <label class="field"><span>Title</span><input name="title" required maxlength="100" data-first /></label>
        ${failed.value && html`<p class="error" role="alert">${failed.value}</p>`}
        <div class="choices">
          <button type="button" class="button" onClick=${close}>Cancel</button>
          <button type="submit" class="button primary">Create</button>
        </div>
      </form>
    <//>
  `;
}
