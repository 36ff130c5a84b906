import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { bringAlong, conversations } from "../conversation/list-state.js";
import { html } from "../kit/html.js";
import { Icon, Mark } from "../kit/icon.js";
import { draft } from "../page/drafts.js";
import { dialog, signingIn } from "../page/layout.js";
import { serverRoot } from "../page/root.js";
import { door, session, signIn, signedOut } from "../session/state.js";
import { notSaved } from "../toasts/state.js";

/** The sign-in page. Drafts are kept, and the page returns to what was open. */
/** @param {{place: string}} props `place`: the title of what was open */
export function SignIn({ place }) {
  const { auth, oidc } = door.value;
  const form = auth === "open" ? html`<${Name} />` : html`<${Token} oidc=${oidc} />`;
  return html`
    <main class="sign-in">
      <div>
        <p class="brand"><${Mark} size=${36} /><span class="word-mark">Tidings</span></p>
        ${form} ${draft.value && html`<${Kept} place=${place} />`}
        <p class="foot-line">
          Tidings ${version}
          ${
            session.value &&
            !signedOut.value &&
            html` · <button type="button" class="link" onClick=${goBack}>Go back</button>`
          }
        </p>
      </div>
    </main>
  `;
}

const version = document.querySelector("meta[name=version]")?.getAttribute("content");

const back = () => (signingIn.value = false);

/** Go back without a name, and close the dialog that needed one. */
const goBack = () => (back(), (dialog.value = null));

const Name = () => html`
  <${Form} title="Choose a name" field="name">
    <p>Only this machine can reach this server, so there is no password.</p>
  <//>
`;

/** @param {{oidc: string | null}} props */
const Token = ({ oidc }) => html`
  <${Form} title="Sign in" field="token" quiet=${!!oidc}>
    ${
      oidc
        ? html`
            ${problem && html`<p class="error" role="alert">${problem}</p>`}
            <a class="button primary" href=${loginAt()}>Continue with ${oidc}</a>
            <p class="or">Or use a token. Your administrator creates one with <code>tidings token</code>.</p>
          `
        : html`<p>Sign in with a token. Your administrator creates one with <code>tidings token</code>.</p>`
    }
  <//>
`;

/** Sentences for the problem in the address. The address holds one word, because a link could hold any sentence. */
const PROBLEMS = new Map([
  ["expired", "Signing in took too long, or was started in another tab. Try again."],
  ["refused", "The provider denied access."],
  ["untrusted", "The provider's answer could not be verified. Tell your administrator."],
  ["unreachable", "The provider does not respond. Try again later."],
  ["name", "Your name is already taken here. Ask your administrator."],
  ["link", "That link does not exist on this server."],
]);

const problem = PROBLEMS.get(new URLSearchParams(location.search).get("problem") ?? "");

/** The address of the sign-in at the provider, which returns to the present address. */
const loginAt = () => `${serverRoot}session/login?next=${encodeURIComponent(location.pathname + location.hash)}`;

const FIELDS = {
  name: { label: "Name", type: "text", autocomplete: "nickname", maxlength: "60" },
  token: { label: "Token", type: "password", autocomplete: "current-password", maxlength: "8192" },
};

/**
 * @param {{title: string, field: "name" | "token", quiet?: boolean, children: any}} props `quiet`: the
 *   page offers another way to sign in first
 */
function Form({ title, field, quiet = false, children }) {
  const wrong = useSignal("");
  const busy = useSignal(false);
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => first.current?.focus(), []);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (busy.value) return;
    const value = first.current?.value.trim() ?? "";
    busy.value = true;
    const nobodys = session.value && session.value.name === null ? conversations.value : [];
    wrong.value = (await signIn(field === "name" ? { name: value } : { token: value })) ?? "";
    busy.value = false;
    if (wrong.value) {
      first.current?.focus();
      return;
    }
    back();
    bringAlong(nobodys).catch(notSaved);
  };
  const { label, ...attributes } = FIELDS[field];
  return html`
    <form class="card" onSubmit=${submit}>
      <h1>${title}</h1>
      ${children}
      <label class="field">
        <span>${label}</span>
        <input
          ref=${first}
          ...${attributes}
          defaultValue=${field === "name" ? (session.value?.name ?? "") : undefined}
          spellcheck="false"
          required
          aria-invalid=${String(wrong.value !== "")}
          aria-describedby="wrong"
        />
      </label>
      <p class="error" id="wrong" role="alert">${wrong.value}</p>
      <button type="submit" class=${quiet ? "button" : "button primary"} aria-disabled=${String(busy.value)}>
        Continue
      </button>
    </form>
  `;
}

/** @param {{place: string}} props */
const Kept = ({ place }) => html`
  <p class="kept"><${Icon} name="file-clock" />Your draft in ${place} is kept. You return to it after signing in.</p>
`;
