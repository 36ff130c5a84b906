import { useEffect, useRef } from "preact/hooks";
import { Avatar } from "../answer/avatar.js";
import { isLive, isMiss, textOf } from "../answer/fold.js";
import { RunProgress, useAnnounced } from "../answer/progress.js";
import { StateChip } from "../answer/state-chip.js";
import { followRun, runSignal } from "../answer/state.js";
import { Stop } from "../answer/stop.js";
import { connectionStatus } from "../connection/state.js";
import { Tries } from "../conversation/prompts.js";
import { IconButton } from "../kit/button.js";
import { focusComposer } from "../kit/composer.js";
import { Message, SentTime } from "../kit/message.js";
import { copying } from "../kit/copy.js";
import { html } from "../kit/html.js";
import { Markdown } from "../kit/markdown.js";
import { Menu } from "../kit/menu.js";
import { draft, reply, write } from "../page/drafts.js";
import { chosenRun, openAside } from "../page/layout.js";
import { titleOf } from "../session/state.js";
import { sharedItems } from "./item-actions.js";
import { React, Reactions } from "./reactions.js";

/** @type {Record<string, import("../answer/fold.js").State>} */
const OUTCOMES = { success: "finished", cancelled: "stopped", interrupted: "interrupted", failed: "failed" };

/**
 * An assistant's answer in a room, as far as it is written. Everybody sees it being written, and everybody who may post
 * may stop it. Its text is an event of the room; its steps and sources are read from its run when it scrolls into view.
 *
 * @param {object} props
 * @param {import("./state.js").Room} props.room
 * @param {import("./fold.js").Answer} props.item
 * @param {boolean} props.may the person may post here
 * @param {boolean} props.found the answer was searched for
 * @param {boolean} props.stop the Tab key reaches it
 */
export function RoomAnswer({ room, item, may, found, stop }) {
  const run = runSignal(item.run).value;
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const name = titleOf(run.assistant ?? item.assistant);
  useAnnounced(run, name, root);
  useRead(root, item);
  const lost = run.state === "failed" && ["gone", "unreadable"].includes(run.error?.code ?? "");
  const told = run.state !== "unread" && !(lost && item.posted);
  const state = told ? run.state : (OUTCOMES[item.outcome ?? ""] ?? "waiting");
  const text = item.posted ? item.text : textOf(run);
  const answer = () => (
    reply({ message: /** @type {string} */ (item.posted), by: name, text: text.slice(0, 200) }),
    focusComposer()
  );
  const stoppable = may && connectionStatus.value !== "lost";
  const last = room.items.value.at(-1) === item;
  /** @type {(prompt: string, assistant: import("../session/state.js").Assistant) => void} */
  const call = (prompt, { name, default: usual }) => (
    write(`@${usual ? "assistant" : name} ${prompt} ${draft.value}`.trim()),
    focusComposer()
  );
  const byline = html`
    <b>${name}</b><${SentTime} at=${item.time} />
    ${isLive(run) && html`<${StateChip} run=${run} />`}
    ${isLive(run) && stoppable && html`<${Stop} run=${item.run} within=${`[data-run="${item.run}"]`} quiet />`}
  `;
  return html`
    <${Message}
      kind=${found ? "answer found" : "answer"}
      data-state=${state}
      data-run=${item.run}
      data-offset=${item.posted ?? item.offset}
      aria-label=${`Answer by ${name}`}
      aria-live="off"
      root=${root}
      tabindex=${stop ? 0 : -1}
      gutter=${html`<${Avatar} name=${run.assistant ?? item.assistant} size=${28} /><i class="run-line" />`}
      byline=${byline}
    >
      ${
        item.deleted
          ? html`<p class="removed">This answer was deleted.</p>`
          : told
            ? html`<${RunProgress} id=${item.run} run=${run} may=${may} />`
            : html`<div class="parts"><${Markdown} text=${text} sources=${run.sources} /></div>`
      }
      ${may && last && isMiss(run) && html`<${Tries} name=${run.assistant ?? item.assistant} onPick=${call} />`}
      ${item.posted && html`<${Reactions} room=${room.id} message=${item.posted} reactions=${item.reactions} may=${may} />`}
      ${
        item.posted &&
        !item.deleted &&
        html`
          <div class="actions" role="group" aria-label="Actions">
            ${
              may &&
              html`<${React} room=${room.id} message=${item.posted} reactions=${item.reactions} />
                <${IconButton} icon="reply" label="Reply" size=${16} onClick=${answer} />`
            }
            <${IconButton} icon="copy" label="Copy answer" size=${16} onClick=${copying(text)} />
            <${IconButton}
              icon="list-tree"
              label="Run details and sources"
              size=${16}
              onClick=${() => ((chosenRun.value = item.run), openAside(true))}
            />
            <${Menu} icon="ellipsis" label="Answer actions" size=${16} items=${sharedItems(room, item.posted, false)} />
          </div>
        `
      }
    <//>
  `;
}

/**
 * Read a run when its answer scrolls into view.
 * @param {import("preact").RefObject<HTMLElement | null>} root
 * @param {import("./fold.js").Answer} item
 */
function useRead(root, { run, deleted }) {
  useEffect(() => {
    if (deleted || !root.current) return;
    const seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void followRun(run);
    });
    seen.observe(root.current);
    return () => seen.disconnect();
  }, [run, deleted]);
}
