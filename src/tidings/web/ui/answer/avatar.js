import { html } from "../kit/html.js";
import { Mark } from "../kit/icon.js";
import { assistants } from "../session/state.js";

/**
 * An assistant's avatar, which is square: its icon or its picture, else the mark of Tidings.
 * @param {{name: string | null, size: number}} props
 */
export function Avatar({ name, size }) {
  const found = assistants.value.find((assistant) => assistant.name === name);
  if (found?.picture)
    return html`<img class="avatar" data-size=${size} src=${found.picture} width=${size} height=${size} alt="" />`;
  if (found?.icon) return html`<span class="avatar" data-size=${size} aria-hidden="true">${found.icon}</span>`;
  return html`<${Mark} size=${size} />`;
}
