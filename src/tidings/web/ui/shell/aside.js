import { asideRun } from "../conversation/shown-state.js";
import { html } from "../kit/html.js";
import { lazy } from "../kit/lazy.js";
import { chosenRun, laterAside, openAside, wide } from "../page/layout.js";
import { RoomAside } from "../room/aside.js";
import { shownRoom } from "../room/shown-state.js";

const LaterAside = lazy("LaterAside");
const RunAside = lazy("RunAside");

/** On a wide page, closing a room's run shows the room again. */
const closeRun = () => (shownRoom.value && wide.value ? (chosenRun.value = null) : openAside(false));

/** The aside: a run, else the open room, or what a place that is drawn later shows there. */
export function Aside() {
  if (laterAside.value) return html`<${LaterAside} />`;
  return shownRoom.value && !chosenRun.value
    ? html`<${RoomAside} />`
    : html`<${RunAside} id=${shownRoom.value ? chosenRun.value : asideRun.value} close=${closeRun} />`;
}
