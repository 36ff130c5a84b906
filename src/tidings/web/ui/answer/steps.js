import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { serverTime } from "../connection/state.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { counted, duration, size } from "../text/format.js";
import { written as inJson } from "./json-fold.js";

/** @typedef {import("./fold.js").Step} Step */

/**
 * Words for tools whose names people would not understand.
 * @type {Record<string, {icon: string, done: string, running: string}>}
 */
const WORDS = {
  search_documentation: { icon: "search", done: "Searched the documentation", running: "Searching the documentation" },
};

/** A line of a search's result: the path of a page, and a heading. Any other text means that it found nothing. */
const PLACE = /^\S+: /;

/** The most steps in a row that are shown one by one. More are folded into one line. */
const MOST = 3;

/** @param {{steps: Step[]}} props */
export function Steps({ steps }) {
  const open = useSignal(false);
  const all = html`${steps.map((step) => html`<${StepRow} key=${step.id} step=${step} />`)}`;
  if (steps.length <= MOST) return html`<div class="steps">${all}</div>`;
  const ended = steps.every((step) => step.ended !== null);
  const time = ended ? duration(Math.max(...steps.map((step) => step.ended ?? 0)) - steps[0].began) : "";
  return html`
    <div class="steps">
      <div class="step">
        <button type="button" aria-expanded=${String(open.value)} onClick=${() => (open.value = !open.value)}>
          <${Icon} name=${open.value ? "chevron-down" : "chevron-right"} /><${Icon} name="list-tree" /><span
            >${steps.length} steps</span
          ><small>${time}</small>
        </button>
      </div>
      ${open.value && all}
    </div>
  `;
}

/** @param {{step: Step}} props */
function StepRow({ step }) {
  const open = useSignal(false);
  const words = WORDS[step.tool];
  const running = step.ended === null;
  const title = words ? (running ? words.running : words.done) : `${running ? "Using" : "Used"} ${step.tool}`;
  const failed = step.error !== null;
  const time = step.ended !== null && duration(step.ended - step.began);
  const result = failed ? step.error : [brief(step), time].filter(Boolean).join(" \u00b7 ");
  return html`
    <div class=${failed ? "step failed" : "step"}>
      <button type="button" aria-expanded=${String(open.value)} onClick=${() => (open.value = !open.value)}>
        <${Icon} name=${open.value ? "chevron-down" : "chevron-right"} /><${Icon}
          name=${failed ? "circle-x" : (words?.icon ?? "settings")}
        />
        <span>${title}</span><small>${running ? html`<${Seconds} since=${step.began} />` : result}</small>
      </button>
      ${
        open.value &&
        html`
          <dl tabindex="0" aria-label="Input and output">
            <dt>input</dt>
            <dd>${written(step.input)}</dd>
            ${
              !running &&
              html`<dt>${failed ? "error" : "output"}</dt>
                <dd>${failed ? step.error : written(step.output)}</dd>`
            }
          </dl>
        `
      }
    </div>
  `;
}

/** The result of a step, in two words. @param {Step} step */
function brief({ tool, output }) {
  if (output === undefined || output === null) return "";
  if (tool === "search_documentation" && typeof output === "string") {
    const found = output.split("\n").filter((line) => PLACE.test(line)).length;
    return found > 0 ? counted(found, "passage") : "nothing found";
  }
  return size(new TextEncoder().encode(written(output)).length);
}

/** A value as text: text unchanged, anything else as JSON, on one line if it is short. @param {unknown} value @returns {string} */
function written(value) {
  if (typeof value === "string") return value;
  const line = inJson(value);
  return line.length <= 80 ? line : inJson(value, 2);
}

/** @param {{since: number}} props */
function Seconds({ since }) {
  const now = useSignal(serverTime());
  useEffect(() => {
    const timer = setInterval(() => (now.value = serverTime()), 100);
    return () => clearInterval(timer);
  }, []);
  return html`${duration(Math.max(0, now.value - since))}`;
}

/** The model's reasoning before its answer, folded. @param {{part: import("./fold.js").Text}} props */
export function Reasoning({ part }) {
  const open = useSignal(false);
  const time = part.ended === null ? html`<${Seconds} since=${part.began} />` : duration(part.ended - part.began);
  return html`
    <div class="step">
      <button type="button" aria-expanded=${String(open.value)} onClick=${() => (open.value = !open.value)}>
        <${Icon} name=${open.value ? "chevron-down" : "chevron-right"} /><${Icon} name="history" />
        <span>${part.ended === null ? "Reasoning" : "Reasoned"}</span><small>${time}</small>
      </button>
      ${open.value && html`<div class="reasoning" tabindex="0">${part.text}</div>`}
    </div>
  `;
}
