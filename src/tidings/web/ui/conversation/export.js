import { textOf } from "../answer/fold.js";
import { runSignal } from "../answer/state.js";
import { save } from "../kit/save.js";
import { titleOf } from "../session/state.js";
import { places } from "./fold.js";
import { shown } from "./shown-state.js";

/**
 * Save the open conversation as a file: the shown versions as Markdown, or all versions as JSON.
 * @param {string} title
 * @param {"md" | "json"} form
 */
export function download(title, form) {
  if (!shown.value) return;
  const text =
    form === "md" ? markdown(title, shown.value) : JSON.stringify(document(title, shown.value), null, 2) + "\n";
  const name = title
    .replace(/[^\p{L}\p{N} _-]+/gu, "")
    .trim()
    .slice(0, 60);
  save(`${name || "conversation"}.${form}`, form === "md" ? "text/markdown" : "application/json", text);
}

/** @param {string} title @param {import("./state.js").Conversation} conversation */
function markdown(title, conversation) {
  const parts = conversation.turns.value.map((turn) => {
    const version = conversation.shown(turn);
    const run = runSignal(version.run).value;
    const quoted = version.question
      .split("\n")
      .map((line) => `> ${line}`.trimEnd())
      .join("\n");
    const sources = run.sources
      .map(({ n, title, path, url, lines }) => `${n}. ${title}${place({ path, url, lines })}`)
      .join("\n");
    const end = run.state === "finished" ? "" : `*This answer is not complete: ${run.state}.*`;
    return [quoted, textOf(run), end, sources && `Sources:\n\n${sources}`].filter(Boolean).join("\n\n");
  });
  return [`# ${title}`, ...parts].join("\n\n") + "\n";
}

/** @param {Pick<import("../answer/fold.js").Source, "path" | "url" | "lines">} source */
function place({ path, url, lines }) {
  const where = path ?? url;
  return where ? `, ${where}${lines ? `, lines ${lines[0]}\u2013${lines[1]}` : ""}` : "";
}

/** @param {string} title @param {import("./state.js").Conversation} conversation */
function document(title, conversation) {
  const turns = places(conversation.state.value).map((turn) =>
    turn.map(({ run, after, question, assistant, by, time, rating }) => {
      const answer = runSignal(run).value;
      const { state, model, tokens, started, ended, finish, error, sources, parts } = answer;
      return {
        run,
        after,
        question,
        by,
        time,
        assistant: titleOf(assistant),
        state,
        model,
        tokens,
        started,
        ended,
        finish,
        error,
        sources,
        parts,
        rating,
        text: textOf(answer),
      };
    }),
  );
  return { conversation: conversation.id, title, turns };
}
