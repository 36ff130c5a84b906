import { html } from "../kit/html.js";
import { lazy } from "../kit/lazy.js";
import { Markdown } from "../kit/markdown.js";
import { titleOf } from "../session/state.js";
import { isLive } from "./fold.js";
import { Reasoning, Steps } from "./steps.js";
import { thoughtApart } from "./thought-fold.js";

/** @typedef {import("./fold.js").Part} Part */
/** @typedef {import("./fold.js").Text} Text */
/** @typedef {import("./fold.js").Step} Step */
/** @typedef {import("./fold.js").Card} Card */

const Cards = lazy("Cards");
const Request = lazy("Request");

/**
 * The parts of an answer, in order. Tool steps that follow each other form one group, and so does data.
 * @param {{id: string, run: import("./fold.js").Run, may: boolean}} props `may`: the person may answer questions
 */
export function Parts({ id, run, may }) {
  /** @type {(Text | import("./fold.js").Request | Step[] | Card[])[]} */
  const groups = [];
  for (const part of run.parts.flatMap(thoughtApart)) {
    const last = groups.at(-1);
    if (part.kind !== "step" && part.kind !== "data") groups.push(part);
    else if (Array.isArray(last) && last[0].kind === part.kind) /** @type {Part[]} */ (last).push(part);
    else groups.push(/** @type {Step[] | Card[]} */ ([part]));
  }
  // The assistant itself may be an agent with a name, and its messages need none.
  const own = [run.assistant, titleOf(run.assistant)].map((name) => name?.toLowerCase());
  let speaking = /** @type {string | null} */ (null);
  return html`
    <div class="parts">
      ${groups.map((group) => {
        if (Array.isArray(group))
          return group[0].kind === "step"
            ? html`<${Steps} key=${`steps-${group[0].id}`} steps=${group} />`
            : html`<${Cards} key=${`cards-${group[0].id}`} cards=${group} />`;
        if (group.kind === "request")
          return html`<${Request}
            key=${`request-${group.id}`}
            ...${{ run: id, request: group, may, live: isLive(run) }}
          />`;
        if (group.kind === "reasoning") return html`<${Reasoning} key=${group.id} part=${group} />`;
        const named = group.agent !== null && group.agent !== speaking && !own.includes(group.agent.toLowerCase());
        speaking = group.agent;
        return html`
          ${named && html`<p key=${`${group.id}-agent`} class="agent">${group.agent}</p>`}
          <${Markdown} key=${group.id} text=${group.text} open=${group.open} sources=${run.sources} />
        `;
      })}
    </div>
  `;
}
