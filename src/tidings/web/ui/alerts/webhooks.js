import { useEffect } from "preact/hooks";
import { ConfirmDialog, Failed, FormButtons, field, useSubmit } from "../connection/dialog-form.js";
import { copying } from "../kit/copy.js";
import { Modal, close } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { dialog } from "../page/layout.js";
import { counted, time } from "../text/format.js";
import { refusedAs } from "../toasts/state.js";
import * as state from "./webhooks-state.js";

/** The webhooks, with the messages that could not be sent. Those who may not see them see nothing of them. */
export function Webhooks() {
  useEffect(() => void state.readWebhooks(), []);
  const all = state.webhooks.value;
  if (!all) return null;
  return html`
    <section aria-label="Webhooks">
      <div class="alerts-head">
        <h2>Webhooks</h2>
        <button type="button" class="button" onClick=${() => show(html`<${NewWebhook} />`)}>
          <${Icon} name="plus" />New webhook
        </button>
      </div>
      ${all.length === 0 && html`<p class="none">No webhooks. A webhook tells another program what fires.</p>`}
      <ul>
        ${all.map((one) => html`<${Row} key=${one.id} one=${one} />`)}
      </ul>
    </section>
  `;
}

/** Open a dialog. @param {any} drawn */
const show = (drawn) => void (dialog.value = { kind: "drawn", draw: () => drawn });

/** @param {{one: state.Webhook}} props */
function Row({ one }) {
  const { id, url, title, disabled, delivered, last, waiting, failed } = one;
  const about = [
    title && url,
    `${counted(delivered, "message")} sent${last === null ? "" : `, the last at ${time(last)}`}`,
    waiting.length > 0 && `${waiting.length} waiting`,
  ];
  const act = (/** @type {Promise<unknown>} */ done) => done.catch(refusedAs("Webhook not changed"));
  const items = [
    ...(disabled === null ? [] : [{ icon: "check", label: "Enable", run: () => void act(state.enable(id)) }]),
    {
      icon: "refresh-cw",
      label: "New secret",
      run: () => void act(state.changeSecret(id).then(({ secret }) => show(html`<${Secret} secret=${secret} />`))),
    },
    { icon: "trash-2", label: "Delete", danger: true, run: () => askToDelete(one) },
  ];
  return html`
    <li class="webhook">
      <div class="rule">
        <span class="named"
          ><b dir="auto">${title || url}</b><small>${about.filter(Boolean).join(" \u00b7 ")}</small></span
        >
        ${disabled === null ? html`<span class="chip">On</span>` : html`<span class="chip red">Disabled</span>`}
        <${Menu} icon="ellipsis" label=${`Actions for ${title || url}`} items=${items} apart />
      </div>
      ${disabled !== null && html`<p class="amber">${disabled}</p>`}
      ${
        failed.length > 0 &&
        html`
          <table class="history" aria-label="Messages that were not sent">
            <tbody>
              ${failed.map(
                (message) => html`
                  <tr key=${message.id}>
                    <td><time>${time(message.queued)}</time></td>
                    <td>${typeOf(message)}</td>
                    <td>${message.status ?? message.error}</td>
                    <td>
                      <button type="button" class="quiet" onClick=${() => void act(state.resend(id, [message.id]))}>
                        Send again
                      </button>
                    </td>
                  </tr>
                `,
              )}
            </tbody>
          </table>
          <button type="button" class="button" onClick=${() => void act(state.resend(id, null))}>Send all again</button>
        `
      }
    </li>
  `;
}

/** The type of a message: "alert.fired". @param {state.Message} message */
function typeOf({ body }) {
  return /^\{"type":\s*"([\w.]+)"/.exec(body)?.[1] ?? "message";
}

/** @param {state.Webhook} webhook */
function askToDelete({ id, title, url }) {
  show(
    html`<${ConfirmDialog}
      title="Delete webhook"
      what=${title || url}
      act="Delete"
      run=${() => state.removeWebhook(id)}
    >
      Nothing more is sent to it, also not what waits.
    <//>`,
  );
}

function NewWebhook() {
  const doing = useSubmit(async (form) => {
    const { secret } = await state.makeWebhook(field(form, "url"), field(form, "title"));
    return () => show(html`<${Secret} secret=${secret} />`);
  });
  return html`
    <${Modal} title="New webhook">
      <form onSubmit=${doing.go}>
        <label class="field"
          ><span>URL</span
          ><input name="url" type="url" required maxlength="1000" placeholder="https://example.com/hook" data-first
        /></label>
        <label class="field"><span>Title</span><input name="title" maxlength="200" placeholder="Pager" /></label>
        <${Failed} doing=${doing} />
        <${FormButtons} act="Make the webhook" busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** A secret, which is shown once. @param {{secret: string}} props */
const Secret = ({ secret }) => html`
  <${Modal} title="Secret of the webhook">
    <p>The receiver checks each message with it. It is not shown again.</p>
    <p><code>${secret}</code></p>
    <div class="choices">
      <button type="button" class="button" onClick=${copying(secret)}><${Icon} name="copy" /><span>Copy</span></button>
      <button type="button" class="button primary" data-first onClick=${close}>Done</button>
    </div>
  <//>
`;
