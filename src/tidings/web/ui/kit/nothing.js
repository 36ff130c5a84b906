import { html } from "./html.js";

/**
 * The page in place of something that cannot be shown: what is so, what that means, and ways on.
 * @param {{title: string, text: string, children?: any}} props
 */
export const Nothing = ({ title, text, children }) => html`
  <div class="empty-frame">
    <div class="nothing" id="composer" tabindex="-1">
      <h2>${title}</h2>
      <p>${text}</p>
      <div class="ways">${children}</div>
    </div>
  </div>
`;
