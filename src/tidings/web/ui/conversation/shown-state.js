/** The open conversation. */
import { computed, effect, signal } from "@preact/signals";
import { newKey } from "../../client/index.js";
import { go, nowhere, open } from "../page/address.js";
import { chosenRun } from "../page/layout.js";
import { assistants, usual } from "../session/state.js";
import { titled, titleFor } from "./list-state.js";
import { questions, questionsOf } from "./outbox-state.js";
import { session } from "../session/state.js";
import { conversation, read } from "./state.js";

/** The open conversation. Null: a new one, or a room is open. */
export const shown = computed(() => (open.value ? conversation(open.value) : null));

/**
 * The assistants that were chosen in this tab, by conversation; "" is a new one.
 * @type {import("@preact/signals").Signal<Record<string, string>>}
 */
const chosen = signal({});

/** The assistant of the next question: the chosen one, else that of the last question, else the default one. */
export const assistant = computed(() => {
  const turn = shown.value?.turns.value.at(-1);
  const last = questionsOf(open.value ?? "").at(-1)?.assistant ?? (turn ? shown.value?.shown(turn).assistant : null);
  const name = chosen.value[open.value ?? ""] ?? last;
  return assistants.value.find((one) => one.name === name) ?? assistants.value.find((one) => one.name === usual.value);
});

/** @param {string} name */
export const choose = (name) => (chosen.value = { ...chosen.value, [open.value ?? ""]: name });

/** The run that the aside shows: the one that was chosen, else the last. */
export const asideRun = computed(() => {
  if (!shown.value || shown.value.turns.value.length === 0) return null;
  const runs = shown.value.turns.value.map((turn) => shown.value?.shown(turn).run);
  return chosenRun.value && runs.includes(chosenRun.value) ? chosenRun.value : (runs.at(-1) ?? null);
});

/** The id of the conversation that the next question begins. */
const next = signal(newKey());

/** The place of the files of the open conversation, or of the one that the next question begins. */
export const place = computed(() => `conversations/${open.value ?? next.value}`);

/** The open conversation's id. A new conversation gets its address now. @returns {string} */
export function openOrBegin() {
  if (open.value) return open.value;
  const id = next.value;
  next.value = newKey();
  conversation(id).status.value = "new";
  go(id);
  return id;
}

/** The open conversation cannot be shown: it belongs to someone else, or does not exist. */
export const unavailable = computed(() => {
  const here = shown.value;
  if (!here) return null;
  if (here.foreign.value) return "foreign";
  const empty = here.turns.value.length === 0 && questionsOf(here.id).length === 0;
  return here.status.value === "missing" && empty ? "missing" : null;
});

/** The title of the open conversation. The conversation may be asked before the list names it. */
export function conversationTitle() {
  if (nowhere.value) return "Page not found";
  if (!open.value) return "New conversation";
  const first = shown.value?.turns.value[0]?.[0].question ?? questionsOf(open.value)[0]?.question;
  return titled(open.value) ?? (first ? titleFor(first) : "Conversation");
}

/** Follow the open conversation, and leave those that are not shown. */
export function start() {
  effect(() => {
    session.value; // another name may open what was refused
    if (shown.value && !["new", "missing"].includes(shown.value.status.value)) void shown.value.follow();
  });
  // Another tab may have begun the conversation that was missing here.
  effect(() => {
    if (shown.value?.status.value === "missing" && titled(shown.value.id)) void shown.value.follow();
  });
  // A conversation that is not shown and has nothing to send gives its topic's place on the connection back.
  effect(() => {
    const busy = new Set([open.value, ...questions.value.map(({ lane }) => lane)]);
    for (const conversation of read()) if (!busy.has(conversation.id)) conversation.rest();
  });
}
