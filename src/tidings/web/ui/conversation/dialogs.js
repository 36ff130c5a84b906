import { FormButtons, Failed, ConfirmDialog, field, useSubmit } from "../connection/dialog-form.js";
import { Modal } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { go, open } from "../page/address.js";
import { remove, rename, titled } from "./list-state.js";

/** @param {{id: string}} props */
export function Rename({ id }) {
  const doing = useSubmit((form) => rename(id, field(form, "title")));
  return html`
    <${Modal} title="Rename the conversation">
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
        <${FormButtons} act="Rename" busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** @param {{id: string}} props */
export function Delete({ id }) {
  const away = async () => (await remove(id), () => void (open.value === id && go(null)));
  return html`
    <${ConfirmDialog} title="Delete the conversation" what=${titled(id)} act="Delete" run=${away}>
      Its questions and answers are deleted from the log, for every tab and device. They cannot be brought back.
    <//>
  `;
}
