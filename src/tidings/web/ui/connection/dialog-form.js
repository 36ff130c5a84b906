import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { refusedAs } from "../toasts/state.js";
import { connectionStatus } from "./state.js";

/** Milliseconds after which what is not done yet is waited for. */
const SOON = 1000;

/**
 * Do something once, close, or say why it was refused. Where nobody answers it waits, and is done whether one waits
 * with it or not.
 * @param {(form: FormData) => Promise<unknown>} run may bring what is to be done when the dialog is still there
 */
export function useDoing(run) {
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
      if (left.current) refusedAs("Not done")(/** @type {Error} */ (error));
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
      ${connectionStatus.value === "lost" ? "Not connected." : "The server has not answered yet."} It is done when it
      can be; you may close this.
    </p>`
  }
`;

/** @param {FormData} form @param {string} name */
export const field = (form, name) => String(form.get(name) ?? "").trim();

/** @param {{act: string, busy: boolean}} props */
export const Choices = ({ act, busy }) => html`
  <div class="choices">
    <button type="button" class="button" onClick=${close}>Cancel</button>
    <button type="submit" class="button primary" aria-disabled=${String(busy)}>${act}</button>
  </div>
`;

/**
 * A question before something that cannot simply be undone.
 * @param {{title: string, what: string, act: string, run: () => Promise<unknown>, children: any}} props
 */
export function Sure({ title, what, act, run, children }) {
  const doing = useDoing(run);
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
