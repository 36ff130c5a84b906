import { useSignal } from "@preact/signals";
import { Failed, FormButtons, useSubmit } from "../connection/dialog-form.js";
import { Modal } from "../kit/dialog.js";
import { IconButton } from "../kit/button.js";
import { html } from "../kit/html.js";
import { goRoom } from "../page/address.js";
import { Person } from "../people/person.js";
import { knownPeople } from "../people/state.js";
import { session } from "../session/state.js";
import { openDirect } from "./actions-state.js";
import { Picker, optionsOf, same, useKnown } from "./add-member.js";

/** @typedef {import("./add-member.js").Option} Option */

/** The dialog that opens a direct message with one person or more. */
export function NewDirect() {
  const text = useSignal("");
  const chosen = useSignal(/** @type {readonly Option[]} */ ([]));
  const written = text.value.trim();
  const known = useKnown(written);
  const taken = [session.value?.name ?? "", ...chosen.value.map(({ name }) => name)];
  const add = (/** @type {Option} */ option) => ((chosen.value = [...chosen.value, option]), (text.value = ""));
  const remove = (/** @type {string} */ name) => (chosen.value = chosen.value.filter((one) => one.name !== name));
  const doing = useSubmit(async () => {
    const people = [...chosen.value];
    if (written && !taken.some((name) => same(name, written))) people.push({ name: written, known: false });
    for (const one of people.filter(({ known }) => !known)) {
      const found = (await knownPeople(one.name)).find((name) => same(name, one.name)); // the list may have come late
      if (found) people[people.indexOf(one)] = { name: found, known: true };
    }
    if (people.length === 0) throw new Error("Choose a person first.");
    const strangers = people.filter((one) => !one.known).map(({ name }) => name);
    const id = await openDirect(
      people.map(({ name }) => name),
      strangers,
    );
    return () => goRoom(id);
  });
  return html`
    <${Modal} title="New direct message">
      <form onSubmit=${doing.go}>
        ${
          chosen.value.length > 0 &&
          html`<ul class="people chosen" aria-label="Chosen people">
            ${chosen.value.map(
              ({ name, known }) => html`
                <li key=${name}>
                  <${Person} name=${name} size=${24} />
                  <div><b>${name}</b>${!known && html`<small>will be invited</small>`}</div>
                  <${IconButton} icon="x" label=${`Remove ${name}`} size=${16} onClick=${() => remove(name)} />
                </li>
              `,
            )}
          </ul>`
        }
        <${Picker} text=${text} options=${optionsOf(written, known, taken)} onPick=${add} />
        <${Failed} doing=${doing} />
        <${FormButtons} act="Open direct message" busy=${doing.busy} />
      </form>
    <//>
  `;
}
