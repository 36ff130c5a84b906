import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { userTopic } from "../session/state.js";
import { isMuted, levelOf, mute, setLevel, unmute } from "./state.js";

/** The sign of a muted topic. A click unmutes the topic. @param {{topic: string}} props */
export const MutedButton = ({ topic }) =>
  html`<${IconButton} icon="bell-off" label="Unmute" onClick=${() => unmute(topic)} />`;

/** @type {["all" | "mentions" | "muted", string, string][]} */
const LEVELS = [
  ["all", "bell", "Notify of all messages"],
  ["mentions", "at-sign", "Notify of mentions"],
  ["muted", "bell-off", "Mute"],
];

/**
 * The items of a room's menu that choose its level of notifications; none without a name. Every message of a direct
 * message notifies, unless it is muted.
 * @param {string} topic
 * @param {boolean} direct
 * @returns {(import("../kit/menu.js").Item & {icon: string})[]}
 */
export function levels(topic, direct) {
  if (direct || !userTopic.value) return muting(topic);
  return LEVELS.map(([level, icon, label]) => ({
    icon,
    label,
    checked: levelOf(topic) === level,
    run: () => setLevel(topic, level),
  }));
}

/** The item of a menu that mutes or unmutes a topic; none without a name. @param {string} topic @returns {(import("../kit/menu.js").Item & {icon: string})[]} */
export function muting(topic) {
  if (!userTopic.value) return [];
  return isMuted(topic)
    ? [{ icon: "bell", label: "Unmute", run: () => unmute(topic) }]
    : [{ icon: "bell-off", label: "Mute", run: () => mute(topic) }];
}
