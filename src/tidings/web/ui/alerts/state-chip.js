import { html } from "../kit/html.js";
import { STATES } from "./words-fold.js";

/** The state of a rule or an instance. Normal is quiet. @param {{state: import("./words-fold.js").Condition, paused?: boolean}} props */
export function StateChip({ state, paused = false }) {
  const [word, tone] = STATES[paused ? "paused" : state] ?? [state, ""];
  return html`<span class=${`chip ${tone}`}>${word}</span>`;
}
