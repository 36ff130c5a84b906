import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { draft } from "../state/drafts.js";
import { signIn } from "../state/session.js";
import { signingIn } from "../state/shell.js";
import { title } from "./header.js";
import { html, Icon, Mark } from "./html.js";

/** Where a token is pasted. What was being written is kept, and one returns to it. */
export function SignIn() {
  const wrong = useSignal("");
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => first.current?.focus(), []);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const token = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("token"));
    wrong.value = (await signIn(token)) ?? "";
    if (!wrong.value) signingIn.value = false;
  };
  return html`
    <main class="sign-in">
      <div>
        <p class="brand"><${Mark} size=${36} /><span class="word-mark">Tidings</span></p>
        <form class="card" onSubmit=${submit}>
          <h1>Sign in</h1>
          <p>This server asks for a token. Whoever runs it makes one with <code>tidings token</code>.</p>
          <label class="field">
            <span>Token</span>
            <input
              name="token"
              type="password"
              autocomplete="current-password"
              spellcheck="false"
              ref=${first}
              required
              aria-invalid=${String(wrong.value !== "")}
              aria-describedby="wrong"
            />
          </label>
          <p class="error" id="wrong" role="alert">${wrong.value}</p>
          <button type="submit" class="button primary">Continue</button>
        </form>
        ${draft.value && html`<${Kept} />`}
      </div>
    </main>
  `;
}

const Kept = () => html`
  <p class="kept"><${Icon} name="file-clock" />Your draft in ${title()} is kept. You return to it after signing in.</p>
`;
