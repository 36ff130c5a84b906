import { useEffect } from "preact/hooks";
import { html } from "../kit/html.js";
import { readWebhooks, webhooks } from "./webhooks-state.js";

/** The webhooks that a rule tells, for those who may see them. @param {{chosen: import("@preact/signals").Signal<string[]>}} props */
export function WebhookFields({ chosen }) {
  useEffect(() => void readWebhooks(), []);
  const all = webhooks.value ?? [];
  if (all.length === 0) return null;
  const turn = (/** @type {string} */ id) =>
    void (chosen.value = chosen.value.includes(id) ? chosen.value.filter((one) => one !== id) : [...chosen.value, id]);
  return html`
    <fieldset class="told">
      <legend>Webhooks</legend>
      ${all.map(
        ({ id, title, url }) =>
          html`<label key=${id}
            ><input
              type="checkbox"
              checked=${chosen.value.includes(id)}
              onChange=${() => turn(id)}
            />${title || url}</label
          >`,
      )}
    </fieldset>
  `;
}
