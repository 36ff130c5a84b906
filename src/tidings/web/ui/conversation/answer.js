import { useRef } from "preact/hooks";
import { Avatar } from "../answer/avatar.js";
import { isLive, isMiss, textOf } from "../answer/fold.js";
import { RunProgress, useAnnounced } from "../answer/progress.js";
import { StateChip } from "../answer/state-chip.js";
import { runSignal } from "../answer/state.js";
import { IconButton } from "../kit/button.js";
import { copying } from "../kit/copy.js";
import { html } from "../kit/html.js";
import { chosenRun, openAside } from "../page/layout.js";
import { Message, SentTime } from "../kit/message.js";
import { titleOf } from "../session/state.js";
import { notSaved } from "../toasts/state.js";
import { ask } from "./outbox-state.js";
import { isOpen, linkTo } from "./part.js";
import { Tries } from "./prompts.js";

/** @typedef {import("../answer/fold.js").Run} Run */
/** @typedef {import("./fold.js").Version} Version */
/**
 * @typedef {object} Shown
 * @property {import("./fold.js").Turn} turn
 * @property {Version} version the shown version of the turn
 * @property {import("./state.js").Conversation} conversation
 */

/**
 * An assistant's answer, as far as it is written.
 * @param {Shown & {last: boolean}} props
 */
export function Answer({ turn, version, conversation, last }) {
  const run = runSignal(version.run).value;
  const text = textOf(run); // there is nothing to copy and to rate in an empty answer
  const name = titleOf(run.assistant ?? version.assistant);
  const found = isOpen(version, "answer");
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useAnnounced(run, name, root);
  const again = () => {
    ask({
      conversation: conversation.id,
      question: version.question,
      assistant: version.assistant,
      parent: version.run,
      files: version.files,
    });
    conversation.choose(turn, Infinity);
  };
  return html`
    <${Message}
      kind=${found ? "answer found" : "answer"}
      tabindex=${found ? -1 : undefined}
      data-state=${run.state}
      data-run=${version.run}
      aria-label=${`Answer by ${name}`}
      root=${root}
      gutter=${html`<${Avatar} name=${run.assistant ?? version.assistant} size=${28} /><i class="run-line" />`}
      byline=${html`<b>${name}</b><${SentTime} at=${run.started ?? version.time} />${isLive(run) && html`<${StateChip} run=${run} />`}`}
    >
      <${RunProgress} id=${version.run} run=${run} onAgain=${again} />
      ${last && isMiss(run) && html`<${Tries} name=${run.assistant ?? version.assistant} />`}
      ${
        (run.ended !== null || turn.length > 1) &&
        html`
          <div class=${last ? "actions last" : "actions"}>
            <${Pager} turn=${turn} version=${version} conversation=${conversation} />
            ${
              run.ended !== null &&
              html`
                ${text && html`<${IconButton} icon="copy" label="Copy answer" size=${16} onClick=${copying(text)} />`}
                <${IconButton}
                  icon="link"
                  label="Copy link"
                  size=${16}
                  onClick=${copying(linkTo(conversation.id, version, "answer"))}
                />
                <${IconButton} icon="rotate-ccw" label="Regenerate" size=${16} onClick=${again} />
                ${
                  text &&
                  html`<${Thumb}
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
                    />`
                }
              `
            }
            <${IconButton}
              icon="list-tree"
              label="Run details and sources"
              size=${16}
              onClick=${() => ((chosenRun.value = version.run), openAside(true))}
            />
          </div>
        `
      }
    <//>
  `;
}

/**
 * A button that rates an answer. A second press takes the rating back.
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
        label="Previous version"
        size=${16}
        aria-disabled=${String(at === 0)}
        onClick=${to(Math.max(0, at - 1))}
      />
      <span>${at + 1} / ${turn.length}</span>
      <${IconButton}
        icon="chevron-right"
        label="Next version"
        size=${16}
        aria-disabled=${String(at === turn.length - 1)}
        onClick=${to(Math.min(at + 1, turn.length - 1))}
      />
    </span>
  `;
}
