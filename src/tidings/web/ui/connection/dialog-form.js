import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { refusedAs } from "../toasts/state.js";
import { connectionStatus } from "./state.js";

/** Milliseconds after which the form says that it waits for the server. */
const SOON = 1000;

/**
 * Submit a dialog's form once. On success the dialog closes; a refusal is shown in it. While the server does not answer
 * the request waits, and it is sent even if the dialog is closed meanwhile.
 * @param {(form: FormData) => Promise<unknown>} run may resolve with a function, which is called if the dialog
 *   is still open
 */
export function useSubmit(run) {
  const failed = useSignal("");
  const busy = useSignal(false);
  const waits = useSignal(false);
  const left = useRef(false);
  useEffect(() => () => void (left.current = true), []);
  const go = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    failed.value = "";
    const form = event.currentTarget instanceof HTMLFormElement ? new FormData(event.currentTarget) : new FormData();
    const late = setTimeout(() => (waits.value = true), SOON);
    try {
      const then = await run(form);
      if (left.current) return;
      close();
      if (typeof then === "function") then();
    } catch (error) {
      if (left.current) refusedAs("Change not saved")(/** @type {Error} */ (error));
      failed.value = /** @type {Error} */ (error).message;
    } finally {
      clearTimeout(late);
      busy.value = waits.value = false;
    }
  };
  return { go, failed: failed.value, busy: busy.value, waits: waits.value };
}

/** @param {{doing: {failed: string, waits: boolean}}} props */
export const Failed = ({ doing }) => html`
  ${doing.failed && html`<p class="error" role="alert">${doing.failed}</p>`}
  ${
    doing.waits &&
    html`<p role="status">
      ${connectionStatus.value === "lost" ? "Not connected." : "The server has not answered yet."} Your change is saved
      when the server answers. You can close this dialog.
    </p>`
  }
`;

/** @param {FormData} form @param {string} name */
export const field = (form, name) => String(form.get(name) ?? "").trim();

/** @param {{act: string, busy: boolean}} props */
export const FormButtons = ({ act, busy }) => html`
  <div class="choices">
    <button type="button" class="button" onClick=${close}>Cancel</button>
    <button type="submit" class="button primary" aria-disabled=${String(busy)}>${act}</button>
  </div>
`;

/**
 * A dialog that asks before an action that cannot simply be undone.
 * @param {{title: string, what: string, act: string, run: () => Promise<unknown>, children: any}} props
 */
export function ConfirmDialog({ title, what, act, run, children }) {
  const doing = useSubmit(run);
  return html`
    <${Modal} title=${title}>
      <p><b>${what}</b></p>
      <p>${children}</p>
      <${Failed} doing=${doing} />
      <div class="choices">
        <button type="button" class="button" data-first onClick=${close}>Cancel</button>
        <button type="button" class="button danger" aria-disabled=${String(doing.busy)} onClick=${doing.go}>
          ${act}
        </button>
      </div>
    <//>
  `;
}
