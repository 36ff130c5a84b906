import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { finished } from "../text/finished.js";
import { Streamed } from "../text/streamed.js";
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
  for (const part of run.parts) {
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
        const Shown = group.open ? Live : Finished;
        const named = group.agent !== null && group.agent !== speaking;
        speaking = group.agent;
        return html`
          ${named && html`<p key=${`${group.id}-agent`} class="agent">${group.agent}</p>`}
          <${Shown} key=${`${group.id}-${group.open}`} text=${group.text} sources=${run.sources} />
        `;
      })}
    </div>
  `;
}

/** @param {{text: string, sources: readonly import("./fold.js").Source[]}} props */
function Live({ text, sources }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const streamed = useRef(/** @type {Streamed | null} */ (null));
  useLayoutEffect(() => {
    streamed.current ??= new Streamed(/** @type {HTMLElement} */ (root.current));
    streamed.current.show(text, sources);
  }, [text, sources]);
  return html`<div class="prose" ref=${root} />`;
}

/** @param {{text: string, sources: readonly import("./fold.js").Source[]}} props */
export function Finished({ text, sources }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => root.current?.replaceChildren(finished(text, sources)), [text, sources]);
  return html`<div class="prose" ref=${root} />`;
}
