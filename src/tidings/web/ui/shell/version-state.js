/** The version of the page that the server has now. A deploy may bring another one while this page is open. */
import { effect } from "@preact/signals";
import { connectionStatus } from "../connection/state.js";
import { attaching } from "../files/state.js";
import { editing, replying } from "../page/drafts.js";
import { dialog } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { MISSING } from "../text/met.js";
import { toast } from "../toasts/state.js";

const build = () => document.querySelector("meta[name=build]")?.getAttribute("content") ?? "";

/** The server has another version. */
let newer = false;

/** Ask the server for its version, and offer to load it. */
async function look() {
  if (newer) return;
  try {
    const response = await fetch(serverRoot, { cache: "no-cache" });
    if (!response.ok || (await response.text()).includes(`"${build()}"`)) return;
  } catch {
    return;
  }
  newer = true;
  if (document.hidden) reload();
  toast({
    key: "version",
    icon: "refresh-cw",
    tone: "tide",
    title: "Tidings was updated",
    text: "Reload the page to use the new version.",
    actions: [{ label: "Reload", run: () => location.reload() }],
  });
}

/** Load the new version unless something would be lost. Drafts are kept, and what waits to be sent is, too. */
function reload() {
  const busy = editing.value || replying.value || dialog.value || attaching.value;
  if (newer && document.hidden && !busy) location.reload();
}

/** Look after a break, as a deploy makes one, and when a file is missing. Load a new version while the page is hidden. */
export function start() {
  effect(() => {
    if (connectionStatus.value === "back") void look();
  });
  addEventListener(MISSING, () => void look());
  document.addEventListener("visibilitychange", reload);
}
