import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failed, FormButtons, field, useSubmit } from "../connection/dialog-form.js";
import { useCombobox } from "../kit/combobox.js";
import { Modal } from "../kit/dialog.js";
import { html, valueOf } from "../kit/html.js";
import { Icon } from "../kit/icon.js";
import { composes } from "../kit/keys.js";
import { Person } from "../people/person.js";
import { isHere, knownPeople } from "../people/state.js";
import { session } from "../session/state.js";
import { brief } from "../text/format.js";
import { addMember, invite } from "./actions-state.js";

/** @typedef {{name: string, known: boolean}} Option `known`: false for a name that only an invitation can reach */

/** The most people that are offered. */
const MOST = 5;
/** Milliseconds without a key after which the server is asked. */
const PAUSE = 100;

/** @param {string} a @param {string} b */
export const same = (a, b) => a.toLowerCase() === b.toLowerCase();

/**
 * The dialog that adds a person to a room. A name of nobody who is known becomes an invitation.
 * @param {{id: string, about: import("./about-fold.js").About}} props
 */
export function AddMember({ id, about }) {
  const text = useSignal("");
  const written = text.value.trim();
  const known = useKnown(written);
  const person = known.find((name) => same(name, written));
  const out = [...Object.keys(about.members), ...Object.keys(about.invited), ...about.banned];
  const act = person ? `Add ${brief(person, 24)}` : written ? `Invite ${brief(written, 24)}` : "Add member";
  const doing = useSubmit(async (form) => {
    const name = field(form, "name");
    const role = /** @type {import("./about-fold.js").Role} */ (field(form, "role"));
    const found = (await knownPeople(name)).find((one) => same(one, name)); // the list may still be on its way
    return found ? addMember(id, found, role) : invite(id, name, role);
  });
  return html`
    <${Modal} title="Add a member">
      <form onSubmit=${doing.go}>
        <${Picker} text=${text} options=${optionsOf(written, known, out)} />
        <label class="field">
          <span>Role</span>
          <select name="role">
            <option value="member">Member: reads and writes</option>
            <option value="reader">Reader: reads only</option>
            <option value="owner">Owner: also renames, archives, adds and removes</option>
          </select>
        </label>
        <${Failed} doing=${doing} />
        <${FormButtons} act=${act} busy=${doing.busy} />
      </form>
    <//>
  `;
}

/** The known people whose names begin with a text, asked for when the person pauses. @param {string} text @returns {readonly string[]} */
export function useKnown(text) {
  const found = useSignal(/** @type {readonly string[]} */ ([]));
  useEffect(() => {
    let left = false;
    const timer = setTimeout(async () => {
      const names = await knownPeople(text).catch(() => []);
      if (!left) found.value = names;
    }, PAUSE);
    return () => ((left = true), clearTimeout(timer));
  }, [text]);
  return found.value;
}

/** @param {string} text @param {readonly string[]} known @param {readonly string[]} out people who are not offered @returns {Option[]} */
export function optionsOf(text, known, out) {
  const begins = (/** @type {string} */ name) => ` ${name.toLowerCase()}`.includes(` ${text.toLowerCase()}`);
  const people = known.filter((name) => !out.includes(name) && begins(name)).slice(0, MOST);
  const strange = text !== "" && ![...known, ...out].some((name) => same(name, text));
  return [...people.map((name) => ({ name, known: true })), ...(strange ? [{ name: text, known: false }] : [])];
}

/**
 * A field for a name, with a list of people below it. Arrow keys move in the list, and Enter takes the marked person.
 * @param {{text: import("@preact/signals").Signal<string>, options: Option[], onPick?: (option: Option) => void}} props `onPick`: takes
 *   a person out of the field; otherwise the name stays there
 */
export function Picker({ text, options, onPick }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const picked = useSignal(false);
  const offered = picked.value ? [] : options;
  const pick = (/** @type {Option} */ option) => {
    text.value = /** @type {HTMLInputElement} */ (input.current).value = onPick ? "" : option.name;
    if (onPick) onPick(option);
    else picked.value = true;
    input.current?.focus();
  };
  const combobox = useCombobox({ id: "people-found", count: offered.length, onTake: (n) => pick(offered[n]) });
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (composes(event)) return;
    const option = offered[combobox.active];
    const moves = event.key === "ArrowDown" || event.key === "ArrowUp";
    const takes = option && (onPick ? text.value : option.name !== text.value.trim());
    if (moves && picked.value) picked.value = false;
    else if (event.key === "Escape" && option && text.value) picked.value = true;
    else if (moves || (event.key === "Enter" && takes)) return combobox.field.onKeyDown(event);
    else return; // Enter sends the form
    event.preventDefault();
  };
  return html`
    <div class="field picker">
      <label for="member-name">Person</label>
      <input
        id="member-name"
        name="name"
        type="text"
        ...${combobox.field}
        aria-describedby="member-help"
        maxlength="60"
        required=${!onPick}
        ref=${input}
        onInput=${(/** @type {Event} */ event) => ((text.value = valueOf(event)), combobox.restart(), (picked.value = false))}
        onKeyDown=${keys}
      />
      <small id="member-help">Choose a person, or type a name to invite.</small>
      <ul ...${combobox.list} aria-label="People" hidden=${offered.length === 0}>
        ${offered.map(
          (option, n) => html`
            <li key=${option.name} ...${combobox.option(n)}>
              ${
                option.known
                  ? html`<${Person} name=${option.name} size=${24} /><span>${option.name}</span>
                      ${isHere(option.name) && html`<small>here</small>`}`
                  : html`<${Icon} name="user-plus" /><span
                        >Invite ${option.name}<small>${WAITS[session.value?.auth ?? "token"]}</small></span
                      >`
              }
            </li>
          `,
        )}
      </ul>
    </div>
  `;
}

/** The event that ends an invitation, by the kind of server. */
const WAITS = {
  token: "Joins at the first sign-in with this name.",
  open: "Anyone can choose this name here. Add the person when they arrive.",
};
