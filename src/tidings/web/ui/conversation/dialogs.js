import { FormButtons, Failed, ConfirmDialog, field, useSubmit } from "../connection/dialog-form.js";
import { Modal } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { go, open } from "../page/address.js";
import { remove, rename, titled } from "./list-state.js";

/** @param {{id: string}} props */
export function Rename({ id }) {
  const doing = useSubmit((form) => rename(id, field(form, "title")));
  return html`
    <${Modal} title="Rename conversation">
      <form onSubmit=${doing.go}>
        <label class="field"
          ><span>Title</span
          ><input
            name="title"
            type="text"
            maxlength="200"
            defaultValue=${titled(id) ?? ""}
            data-first
            required
            pattern=".*\\S.*"
        /></label>
        <${Failed} doing=${doing} />
        <${FormButtons} act="Rename conversation" busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** @param {{id: string}} props */
export function Delete({ id }) {
  const away = async () => (await remove(id), () => void (open.value === id && go(null)));
  return html`
    <${ConfirmDialog} title="Delete conversation" what=${titled(id)} act="Delete conversation" run=${away}>
      Its questions and answers will be deleted, on every device. This cannot be undone.
    <//>
  `;
}
