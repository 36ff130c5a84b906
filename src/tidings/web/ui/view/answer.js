import { useEffect, useRef } from "preact/hooks";
import { isLive, textOf } from "../folds/run.js";
import { ask } from "../state/outbox.js";
import { runSignal } from "../state/runs.js";
import { titleOf } from "../state/session.js";
import { announcement, asideOpen, chosenRun, openAside } from "../state/shell.js";
import { notSaved } from "../state/toasts.js";
import { counted, fullTime, time } from "../text/format.js";
import { html, IconButton, Mark } from "./html.js";
import { FailedNote, InterruptedNote, StoppedNote } from "./note.js";
import { Parts } from "./parts.js";
import { finishOf, StateChip, took } from "./state.js";
import { copying } from "./inside.js";

/** @typedef {import("../folds/run.js").Run} Run */
/** @typedef {import("../folds/conversation.js").Version} Version */
/**
 * @typedef {object} Shown
 * @property {import("../folds/conversation.js").Turn} turn
 * @property {Version} version the one of it that is shown
 * @property {import("../state/conversation.js").Conversation} conversation
 */

/**
 * What an assistant answered, as far as it has come.
 * @param {Shown & {last: boolean}} props
 */
export function Answer({ turn, version, conversation, last }) {
  const run = runSignal(version.run).value;
  const name = titleOf(run.assistant ?? version.assistant);
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useAnnounced(run, name, root);
  const again = () => {
    ask({
      conversation: conversation.id,
      question: version.question,
      assistant: version.assistant,
      parent: version.run,
    });
    conversation.choose(turn, Infinity);
  };
  return html`
    <article
      class="message answer"
      data-state=${run.state}
      data-run=${version.run}
      aria-label=${`Answer by ${name}`}
      ref=${root}
    >
      <div class="gutter"><${Mark} size=${28} /><i class="run-line" /></div>
      <div class="body">
        <p class="byline">
          <b>${name}</b><${Began} at=${run.started ?? version.time} />
          ${isLive(run) && html`<${StateChip} run=${run} />`}
        </p>
        <${Told} run=${run} onAgain=${again} />
        ${
          (run.ended !== null || turn.length > 1) &&
          html`
            <div class=${last ? "actions last" : "actions"}>
              <${Pager} turn=${turn} version=${version} conversation=${conversation} />
              ${
                run.ended !== null &&
                html`
                  <${IconButton} icon="copy" label="Copy the answer" size=${16} onClick=${copying(textOf(run))} />
                  <${IconButton} icon="rotate-ccw" label="Answer again" size=${16} onClick=${again} />
                  <${Thumb}
                    icon="thumbs-up"
                    way="up"
                    label="Good answer"
                    version=${version}
                    conversation=${conversation}
                  />
                  <${Thumb}
                    icon="thumbs-down"
                    way="down"
                    label="Bad answer"
                    version=${version}
                    conversation=${conversation}
                  />
                `
              }
              <${IconButton}
                icon="list-tree"
                label="Run and sources"
                size=${16}
                onClick=${() => ((chosenRun.value = version.run), openAside(true))}
              />
            </div>
          `
        }
      </div>
    </article>
  `;
}

/**
 * All that a run has brought so far, and how it ended.
 * @param {{run: Run, onAgain?: () => void}} props
 */
export const Told = ({ run, onAgain }) => html`
  <${Parts} run=${run} />
  ${run.state === "waiting" && html`<p class="first-token">Waiting for the first token</p>`}
  ${run.state === "stopped" && html`<${StoppedNote} by=${run.stoppedBy ?? null} />`}
  ${run.state === "interrupted" && html`<${InterruptedNote} onAgain=${onAgain} />`}
  ${run.state === "failed" && html`<${FailedNote} error=${run.error} onAgain=${onAgain} />`}
  <${Chips} run=${run} />
  ${run.ended !== null && html`<${Meta} run=${run} />`}
`;

/** @param {{at: number}} props */
export const Began = ({ at }) =>
  html`<time datetime=${new Date(at * 1000).toISOString()} title=${fullTime(at)}>${time(at)}</time>`;

/** Where no aside shows the sources. @param {{run: Run}} props */
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
 * A fact in the conversation's topic; pressed again, it is taken back.
 * @param {Omit<Shown, "turn"> & {way: "up" | "down", icon: string, label: string}} props
 */
function Thumb({ way, icon, label, version, conversation }) {
  const is = version.rating === way;
  return html`
    <${IconButton}
      icon=${icon}
      label=${label}
      size=${16}
      aria-pressed=${String(is)}
      onClick=${() => conversation.rate(version.run, is ? null : way).catch(notSaved)}
    />
  `;
}

/** @param {Shown} props */
function Pager({ turn, version, conversation }) {
  if (turn.length < 2) return null;
  const at = turn.indexOf(version);
  const to = (/** @type {number} */ n) => () => conversation.choose(turn, n);
  return html`
    <span class="pager" role="group" aria-label="Versions">
      <${IconButton}
        icon="chevron-left"
        label="The version before"
        size=${16}
        aria-disabled=${String(at === 0)}
        onClick=${to(Math.max(0, at - 1))}
      />
      <span>${at + 1} / ${turn.length}</span>
      <${IconButton}
        icon="chevron-right"
        label="The next version"
        size=${16}
        aria-disabled=${String(at === turn.length - 1)}
        onClick=${to(Math.min(at + 1, turn.length - 1))}
      />
    </span>
  `;
}

/**
 * Tell a screen reader once, when an answer has ended while it was shown.
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
}

/** @param {HTMLElement | null} answer @param {string} parts @returns {string[]} */
const read = (answer, parts) => [...(answer?.querySelectorAll(parts) ?? [])].map((part) => part.textContent ?? "");
