import { useEffect, useRef } from "preact/hooks";
import { html } from "../kit/html.js";
import { announcement, asideOpen } from "../page/layout.js";
import { counted } from "../text/format.js";
import { isLive, openRequests } from "./fold.js";
import { CutNote, FailedNote, InterruptedNote, StoppedNote } from "./notes.js";
import { Parts } from "./parts.js";
import { finishOf, took } from "./state-chip.js";

/** @typedef {import("./fold.js").Run} Run */

/**
 * Everything that a run has produced so far, and how it ended.
 * @param {{id: string, run: Run, may?: boolean, onAgain?: () => void}} props `may`: the person may answer questions
 */
export const RunProgress = ({ id, run, may = true, onAgain }) => html`
  <${Parts} id=${id} run=${run} may=${may} />
  ${run.state === "waiting" && html`<p class="first-token">Waiting for the first token</p>`}
  ${run.state === "stopped" && html`<${StoppedNote} by=${run.stoppedBy ?? null} />`}
  ${run.state === "interrupted" && html`<${InterruptedNote} onAgain=${onAgain} />`}
  ${run.state === "failed" && html`<${FailedNote} error=${run.error} onAgain=${onAgain} />`}
  ${run.state === "finished" && html`<${CutNote} finish=${run.finish} />`}
  <${Chips} run=${run} />
  ${run.ended !== null && html`<${Meta} run=${run} />`}
`;

/** The sources, while the aside does not show them. @param {{run: Run}} props */
function Chips({ run }) {
  if (run.sources.length === 0 || asideOpen.value) return null;
  return html`
    <ul class="source-chips" aria-label="Sources" tabindex="0">
      ${run.sources.map(
        ({ n, title }) =>
          html`<li key=${n}>
            <button type="button" class="source-chip" data-n=${n}><span class="n">${n}</span>${title}</button>
          </li>`,
      )}
    </ul>
  `;
}

/** @param {{run: Run}} props */
function Meta({ run }) {
  const facts = [
    run.model,
    run.tokens !== null && counted(run.tokens, "token"),
    took(run),
    run.state === "finished" ? finishOf(run) : run.state,
  ];
  return html`<p class="meta">${facts.filter(Boolean).join(" \u00b7 ")}</p>`;
}

/**
 * Read an answer out to a screen reader, once, when it ends while it is shown, and each question that it asks.
 * @param {Run} run
 * @param {string} name
 * @param {import("preact").RefObject<HTMLElement | null>} root
 */
export function useAnnounced(run, name, root) {
  const live = isLive(run);
  const was = useRef(live);
  useEffect(() => {
    if (was.current && !live) announcement.value = [`${name}:`, ...read(root.current, ".parts, .note")].join(" ");
    was.current = live;
  }, [live]);
  const asking = openRequests(run).at(-1)?.id;
  useEffect(() => {
    if (asking) announcement.value = `${name} waits for an answer: ${read(root.current, ".request").at(-1) ?? ""}`;
  }, [asking]);
}

/** @param {HTMLElement | null} answer @param {string} parts @returns {string[]} */
const read = (answer, parts) => [...(answer?.querySelectorAll(parts) ?? [])].map((part) => part.textContent ?? "");
