import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { userTopic } from "../session/state.js";
import { isMuted, mute, unmute } from "./state.js";

/** The button that mutes a topic. @param {{topic: string}} props */
export function MuteButton({ topic }) {
  const [item] = muting(topic);
  if (!item) return null;
  return html`<${IconButton} icon=${isMuted(topic) ? "bell-off" : "bell"} label=${item.label} onClick=${item.run} />`;
}

/** The same as menu items. @param {string} topic @returns {(import("../kit/menu.js").Item & {icon: string})[]} */
export function muting(topic) {
  if (!userTopic.value) return [];
  return isMuted(topic)
    ? [{ icon: "bell", label: "Unmute", run: () => unmute(topic) }]
    : [{ icon: "bell-off", label: "Mute", run: () => mute(topic) }];
}
