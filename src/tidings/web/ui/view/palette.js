import { useSignal } from "@preact/signals";
import { textOf } from "../folds/run.js";
import { read } from "../state/conversation.js";
import { conversations } from "../state/library.js";
import { runSignal } from "../state/runs.js";
import { go, open } from "../state/shell.js";
import { close, Modal } from "./modal.js";
import { html, Icon, valueOf } from "./html.js";

/** @typedef {{id: string, title: string, run?: string, excerpt?: string}} Hit */

const MOST = 12;

/** Search: titles of all conversations, and the text of those this tab has read. */
/** @param {{room: string | null}} props */
export function Palette({ room }) {
  void room;
  const sought = useSignal("");
  const at = useSignal(0);
  const hits = search(sought.value.trim().toLowerCase());
  const active = Math.min(at.value, hits.length - 1);
  const pick = (/** @type {Hit} */ hit) => {
    close();
    go(hit.id);
    if (hit.run)
      requestAnimationFrame(() =>
        document.querySelector(`[data-run="${hit.run}"]`)?.scrollIntoView({ block: "start" }),
      );
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && hits.length > 0) {
      event.preventDefault();
      at.value = (active + step + hits.length) % hits.length;
      document.getElementById(`hit-${at.value}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && hits[active]) {
      event.preventDefault();
      pick(hits[active]);
    }
  };
  return html`
    <${Modal} title="Search" wide bare>
      <div class="palette">
        <label class="sought">
          <${Icon} name="search" />
          <input
            type="text"
            role="combobox"
            aria-label="Search the conversations"
            aria-expanded="true"
            aria-controls="hits"
            aria-autocomplete="list"
            aria-activedescendant=${hits.length > 0 ? `hit-${active}` : undefined}
            placeholder="Search the conversations"
            autocomplete="off"
            data-first
            onInput=${(/** @type {Event} */ event) => ((sought.value = valueOf(event)), (at.value = 0))}
            onKeyDown=${keys}
          />
          <kbd>Esc</kbd>
        </label>
        <ul id="hits" role="listbox" aria-label="Found">
          ${hits.map(
            (hit, n) => html`
              <li
                id=${`hit-${n}`}
                role="option"
                aria-selected=${String(n === active)}
                onClick=${() => pick(hit)}
                onPointerMove=${() => (at.value = n)}
              >
                <${Icon} name="message-square" />
                <div><span>${hit.excerpt ?? hit.title}</span>${hit.excerpt && html`<small>${hit.title}</small>`}</div>
                ${hit.id === open.value && html`<small>open</small>`}
              </li>
            `,
          )}
        </ul>
        ${hits.length === 0 && html`<p class="none">${sought.value ? "Nothing found." : "No conversation yet."}</p>`}
      </div>
    <//>
  `;
}

/** @param {string} sought in lower case @returns {Hit[]} */
function search(sought) {
  const titles = conversations.value.filter(({ title }) => title.toLowerCase().includes(sought));
  if (!sought) return titles.slice(0, MOST);
  /** @type {Hit[]} */
  const texts = read().flatMap((conversation) => {
    const title = conversations.value.find(({ id }) => id === conversation.id)?.title;
    if (!title) return [];
    return conversation.turns.value.flatMap((turn) => {
      const { run, question } = conversation.shown(turn);
      const text = [question, textOf(runSignal(run).value)].find((text) => text.toLowerCase().includes(sought));
      return text && text !== title ? [{ id: conversation.id, title, run, excerpt: excerpt(text, sought) }] : [];
    });
  });
  return [...titles, ...texts].slice(0, MOST);
}

/** @param {string} text @param {string} sought */
function excerpt(text, sought) {
  const at = text.toLowerCase().indexOf(sought);
  const from = Math.max(0, at - 30);
  return (from > 0 ? "\u2026" : "") + text.slice(from, at + sought.length + 60).replace(/\s+/g, " ");
}
