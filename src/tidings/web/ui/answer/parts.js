import { html } from "../kit/html.js";
import { Markdown } from "../kit/markdown.js";
import { thoughtApart } from "./fold.js";
import { Reasoning, Steps } from "./steps.js";

/** @typedef {import("./fold.js").Part} Part */
/** @typedef {import("./fold.js").Text} Text */
/** @typedef {import("./fold.js").Step} Step */

/**
 * The parts of an answer, in order. Tool steps that follow each other form one group.
 * @param {{run: import("./fold.js").Run}} props
 */
export function Parts({ run }) {
  /** @type {(Text | Step[])[]} */
  const groups = [];
  for (const part of run.parts.flatMap(thoughtApart)) {
    const last = groups.at(-1);
    if (part.kind !== "step") groups.push(part);
    else if (Array.isArray(last)) last.push(part);
    else groups.push([part]);
  }
  let speaking = /** @type {string | null} */ (null);
  return html`
    <div class="parts">
      ${groups.map((group) => {
        if (Array.isArray(group)) return html`<${Steps} key=${`steps-${group[0].id}`} steps=${group} />`;
        if (group.kind === "reasoning") return html`<${Reasoning} key=${group.id} part=${group} />`;
        const named = group.agent !== null && group.agent !== speaking;
        speaking = group.agent;
        return html`
          ${named && html`<p key=${`${group.id}-agent`} class="agent">${group.agent}</p>`}
          <${Markdown} key=${group.id} text=${group.text} open=${group.open} sources=${run.sources} />
        `;
      })}
    </div>
  `;
}
