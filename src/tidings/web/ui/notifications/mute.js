import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { userTopic } from "../session/state.js";
import { isMuted, mute, unmute } from "./state.js";

/** The sign of a muted topic. A click unmutes the topic. @param {{topic: string}} props */
export const MutedButton = ({ topic }) =>
  html`<${IconButton} icon="bell-off" label="Unmute" onClick=${() => unmute(topic)} />`;

/** The item of a menu that mutes or unmutes a topic; none without a name. @param {string} topic @returns {(import("../kit/menu.js").Item & {icon: string})[]} */
export function muting(topic) {
  if (!userTopic.value) return [];
  return isMuted(topic)
    ? [{ icon: "bell", label: "Unmute", run: () => unmute(topic) }]
    : [{ icon: "bell-off", label: "Mute", run: () => mute(topic) }];
}
