import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { serverTime } from "../connection/state.js";
import { Aside } from "../kit/aside.js";
import { html, inPage } from "../kit/html.js";
import { docAddress, goTo } from "../page/address.js";
import { openAside, wide } from "../page/layout.js";
import { safeHref } from "../text/element.js";
import { duration, number } from "../text/format.js";
import { isLive } from "./fold.js";
import { placeOf, plain } from "./source-fold.js";
import { isCut, StateChip, took, wordsOf } from "./state-chip.js";
import { runSignal } from "./state.js";

/**
 * The facts of one run, and the sources it cites.
 * @param {{id: string, close: () => void}} props
 */
export function RunAside({ id, close }) {
  const run = runSignal(id).value;
  return html`
    <${Aside} title="Run" closeLabel="Close run details" onClose=${close}>
      <section aria-label="About the run">
        <p class="state"><${StateChip} run=${run} /> <${Age} run=${run} /></p>
        <dl>
          <div>
            <dt>Topic</dt>
            <dd><code title=${`runs.${id}`}>${`runs.${id}`}</code></dd>
          </div>
          <div>
            <dt>Offset</dt>
            <dd><code>${run.offset || "\u2013"}</code></dd>
          </div>
          ${
            run.started !== null &&
            run.firstToken !== null &&
            html`<div>
              <dt>First token</dt>
              <dd>${duration(run.firstToken - run.started)}</dd>
            </div>`
          }
          ${
            run.tokens !== null
              ? html`<div>
                  <dt>Tokens</dt>
                  <dd>${number(run.tokens)}</dd>
                </div>`
              : html`<div>
                  <dt>Words</dt>
                  <dd>${number(wordsOf(run))}</dd>
                </div>`
          }
          ${
            (run.model || run.assistant === "docs") &&
            html`<div>
              <dt>Model</dt>
              <dd>${run.model ?? "none (quotes the docs)"}</dd>
            </div>`
          }
        </dl>
      </section>
      ${
        run.sources.length > 0 &&
        html`
          <section class="sources" aria-label="Sources">
            <h3>Sources</h3>
            <ol>
              ${run.sources.map(
                (source) =>
                  html`<${Source} key=${source.n} source=${source} run=${id} ours=${run.assistant === "docs"} />`,
              )}
            </ol>
          </section>
        `
      }
    <//>
  `;
}

/**
 * A source: its number leads to the citation, and its title to the source itself if that has an address.
 * @param {{source: import("./fold.js").Source, run: string, ours: boolean}} props `ours`: paths are of Tidings' documentation
 */
function Source({ source, run, ours }) {
  const { n, title, passage } = source;
  const url = safeHref(source.url);
  const doc = ours ? docAddress(source.path, source.lines) : null;
  const cited = () => showCite(run, n);
  return html`
    <li id=${`source-${n}`} tabindex="-1">
      <button type="button" class="n" aria-label=${`Show where source ${n} is cited`} onClick=${cited}>${n}</button>
      <div>
        ${
          url
            ? html`<a class="title" href=${url} target="_blank" rel="noopener noreferrer">${title}</a>`
            : doc
              ? html`<a class="title" href=${doc} onClick=${inPage(() => goTo(new URL(doc, location.href)))}
                  >${title}</a
                >`
              : html`<b class="title">${title}</b>`
        }
        <p class="place">${placeOf(source)}</p>
        <p class="passage" title=${plain(passage)}>${plain(passage)}</p>
      </div>
    </li>
  `;
}

/** @param {string} run @param {number} n */
function showCite(run, n) {
  if (!wide.value) openAside(false);
  const cite = document.querySelector(`[data-run="${run}"] .cite[data-n="${n}"]`);
  cite?.scrollIntoView({ block: "center" });
  /** @type {HTMLElement | null} */ (cite)?.focus({ preventScroll: true });
}

/** @param {{run: import("./fold.js").Run}} props */
function Age({ run }) {
  const now = useSignal(serverTime());
  const live = isLive(run);
  const cut = isCut(run);
  useEffect(() => {
    if (!live || cut) return;
    const timer = setInterval(() => (now.value = serverTime()), 100);
    return () => clearInterval(timer);
  }, [live, cut]);
  if (run.started === null) return null;
  return html`<span class="age"
    >${live ? `for ${duration(Math.max(0, now.value - run.started))}` : `in ${took(run)}`}</span
  >`;
}
