import { useEffect } from "preact/hooks";
import { html } from "../kit/html.js";
import { Nothing } from "../kit/nothing.js";
import { openProcess } from "../page/address.js";
import { counted } from "../text/format.js";
import { forgetLayout } from "./layout-state.js";
import { ProcessList } from "./list.js";
import { ProcessMap } from "./map.js";
import { FilterBar } from "./filter-bar.js";
import { asTable, follow, process, readAgain, setConditions } from "./state.js";
import { loadStyle, styled } from "./style-state.js";
import { Tables } from "./table.js";
import { forgetView } from "./view-state.js";

/** The page of a process, or of all processes. */
export function ProcessPage() {
  useEffect(() => void loadStyle(), []);
  if (!styled.value) return null;
  return openProcess.value
    ? html`<${Opened} key=${openProcess.value} name=${openProcess.value} />`
    : html`<${ProcessList} />`;
}

/** @param {{name: string}} props */
function Opened({ name }) {
  useEffect(() => {
    forgetLayout();
    forgetView();
    const leave = follow(name);
    return () => {
      leave();
      forgetLayout();
    };
  }, [name]);
  if (process.value.name === name && (process.value.status === "denied" || process.value.status === "empty"))
    return html`<${Figures} name=${name} />`;
  return html`<${FilterBar} /><${Figures} name=${name} />`;
}

/** @param {{name: string}} props */
function Figures({ name }) {
  const { status, figures, reason } = process.value;
  if (process.value.name !== name || (status === "loading" && !figures))
    return html`<div class="map" id="composer" tabindex="-1"><p class="map-note" role="status">Loading map</p></div>`;
  if (status === "denied") return html`<${Nothing} title="Process not shown" text="You may not read this process." />`;
  if (status === "empty")
    return html`<${Nothing}
      title="No case yet"
      text=${`Events that are published to process.${name} appear here as a map.`}
    >
      <code>tidings process import FILE --topic process.${name}</code>
    <//>`;
  if (status === "unmatched")
    return html`<${Nothing}
      title="No case matches"
      text=${`None of ${counted(figures?.whole?.cases ?? 0, "case")} meets every condition of the filter.`}
    >
      <button type="button" class="button" onClick=${() => setConditions([])}>Show all cases</button>
    <//>`;
  if (status === "failed")
    return html`<${Nothing} title="Map not loaded" text=${reason}>
      <button type="button" class="button primary" onClick=${readAgain}>Try again</button>
    <//>`;
  return asTable.value ? html`<${Tables} />` : html`<${ProcessMap} />`;
}
