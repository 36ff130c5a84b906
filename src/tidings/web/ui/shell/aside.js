import { RunAside } from "../answer/run-aside.js";
import { asideRun } from "../conversation/shown-state.js";
import { html } from "../kit/html.js";
import { chosenRun, openAside, wide } from "../page/layout.js";
import { RoomAside } from "../room/aside.js";
import { shownRoom } from "../room/shown-state.js";

/** On a wide page, closing a room's run shows the room again. */
const closeRun = () => (shownRoom.value && wide.value ? (chosenRun.value = null) : openAside(false));

/** The aside: a run, else the open room. */
export function Aside() {
  return shownRoom.value && !chosenRun.value
    ? html`<${RoomAside} />`
    : html`<${RunAside} id=${shownRoom.value ? chosenRun.value : asideRun.value} close=${closeRun} />`;
}
