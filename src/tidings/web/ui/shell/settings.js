import { html } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { Menu } from "../kit/menu.js";
import { dialog, signingIn } from "../page/layout.js";
import { theme } from "../page/theme.js";
import { session, signOut } from "../session/state.js";

/** @type {{value: import("../page/theme.js").Theme, label: string, icon: string}[]} */
const THEMES = [
  { value: "light", label: "Light", icon: "sun" },
  { value: "dark", label: "Dark", icon: "moon" },
  { value: "system", label: "System", icon: "monitor" },
];

/** The settings menu. */
export function Settings() {
  return html`
    <${Menu} icon="settings" label="Settings" up>
      <fieldset class="segments">
        <legend>Appearance</legend>
        ${THEMES.map(
          ({ value, label, icon }) => html`
            <label class=${theme.value === value ? "on" : ""}>
              <input
                type="radio"
                name="theme"
                value=${value}
                checked=${theme.value === value}
                onChange=${() => (theme.value = value)}
              />
              <${Icon} name=${icon} />${label}
            </label>
          `,
        )}
      </fieldset>
      <button type="button" class="row" onClick=${() => (dialog.value = { kind: "help" })}>
        <${Icon} name="keyboard" />Keyboard shortcuts
      </button>
      ${
        session.value?.auth === "open" &&
        html`<button type="button" class="row" onClick=${() => (signingIn.value = true)}>
          <${Icon} name="user" />${session.value.name ? "Change name" : "Choose a name"}
        </button>`
      }
      ${
        (session.value?.auth === "token" || session.value?.name) &&
        html`<button type="button" class="row" onClick=${signOut}><${Icon} name="log-out" />Sign out</button>`
      }
    <//>
  `;
}
