import { html } from "htm/preact";
import { Icon } from "./icon.js";

/**
 * A button with an icon only. Its label is also its tooltip.
 * @param {{icon: string, label: string, size?: number, keys?: string} & Record<string, any>} props
 */
export const IconButton = ({ icon, label, size = 18, keys, ...rest }) => html`
  <button type="button" class="icon-button" aria-label=${label} title=${keys ? `${label} (${keys})` : label} ...${rest}>
    <${Icon} name=${icon} size=${size} />
  </button>
`;
