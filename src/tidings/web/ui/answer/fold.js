/** The fold of a run's topic, `runs.ID`. Pure. */
import { THOUGHT, thoughtApart } from "./thought-fold.js";

/**
 * @typedef {object} Text
 * @property {"text" | "reasoning"} kind
 * @property {string} id
 * @property {string | null} agent the part of a graph that says it, where that has a name
 * @property {string} text
 * @property {boolean} open more text may come
 * @property {number} began Unix seconds
 * @property {number | null} ended
 * @property {number | null} [thought] when `</think>` came
 */

/**
 * @typedef {object} Step a call of a tool
 * @property {"step"} kind
 * @property {string} id
 * @property {string} tool
 * @property {unknown} input
 * @property {unknown} output
 * @property {string | null} error
 * @property {number} began Unix seconds
 * @property {number | null} ended
 */

/**
 * @typedef {object} Request a question to a person
 * @property {"request"} kind
 * @property {string} id
 * @property {unknown} value
 * @property {unknown} schema JSON Schema of an answer
 * @property {string | null} error the reason why the last answer was not taken
 * @property {{value: unknown, by: string | null} | null} answer the first one
 * @property {number} began Unix seconds
 * @property {number | null} ended
 */

/**
 * @typedef {object} Card data of the application's own. Data with an id replaces the last data with it
 * @property {"data"} kind
 * @property {string} id
 * @property {string} name
 * @property {unknown} value
 */

/**
 * @typedef {object} Source
 * @property {number} n the number in the text's citation, [n]
 * @property {string} title
 * @property {string | null} path
 * @property {string | null} url
 * @property {[number, number] | null} lines the first and the last line
 * @property {string} passage
 */

/**
 * @typedef {object} Failure
 * @property {string} message
 * @property {string} code
 * @property {boolean} retryable the same question may succeed later
 * @property {number | null} retryAfter seconds to wait first, if the provider asked for it
 */

/** @typedef {Text | Step | Request | Card} Part */
/** @typedef {"unread" | "waiting" | "streaming" | "finished" | "stopped" | "interrupted" | "failed"} State */

/**
 * @typedef {object} Run
 * @property {State} state "unread" until its log was read; "waiting" until there is something to show
 * @property {readonly Part[]} parts in the order they began
 * @property {readonly Source[]} sources by number
 * @property {string | null} model
 * @property {string | null} assistant
 * @property {number | null} tokens of the output; null until the model reports them
 * @property {number | null} started Unix seconds
 * @property {number | null} firstToken Unix seconds
 * @property {number | null} ended Unix seconds
 * @property {string | null} finish the model's reason for stopping
 * @property {Failure | null} error
 * @property {Readonly<Record<string, string>>} agents by message, where the message has a name
 * @property {number} cards the number of cards so far
 * @property {string | null | undefined} stoppedBy undefined until somebody asks to stop; null for somebody without a name
 * @property {string} offset of the last event
 */

/** @type {Run} */
export const unread = {
  state: "unread",
  parts: [],
  sources: [],
  model: null,
  assistant: null,
  tokens: null,
  started: null,
  firstToken: null,
  ended: null,
  finish: null,
  error: null,
  agents: {},
  cards: 0,
  stoppedBy: undefined,
  offset: "",
};

/** @type {Record<string, State>} */
const OUTCOMES = { success: "finished", cancelled: "stopped", interrupted: "interrupted" };

/** Check if the model may still write. @param {Run} run */
export const isLive = (run) => run.state === "waiting" || run.state === "streaming";

/**
 * @param {Run} run
 * @param {import("../../client/index.js").Event} event
 * @returns {Run}
 */
export function fold(run, event) {
  const next = step(run, event);
  return event.offset === null ? next : { ...next, offset: event.offset };
}

/**
 * @param {Run} run
 * @param {import("../../client/index.js").Event} event
 * @returns {Run}
 */
function step(run, { type, time, data }) {
  if (data === null || typeof data !== "object") return run;
  switch (type) {
    case "run.started":
      return {
        ...run,
        started: run.started ?? time,
        model: data.model ?? run.model,
        assistant: data.assistant ?? null,
      };
    case "message.started":
      return typeof data.name === "string" ? { ...run, agents: { ...run.agents, [data.message]: data.name } } : run;
    case "block.started":
      return data.kind === "text" || data.kind === "reasoning" ? write(run, data, time) : run;
    case "block.delta":
      return delta(run, data, time);
    case "block.finished":
      return data.kind === "source" ? cite(run, data.content) : finishBlock(run, data, time);
    case "tool.started":
      return changeCall(run, data, time, () => call(data, time));
    case "tool.finished":
    case "tool.failed": {
      const error = type === "tool.failed" ? String(data.error ?? "failed") : null;
      return changeCall(run, data, time, (part) => ({ ...part, output: data.output, error, ended: time }));
    }
    case "input.requested":
      return begin(run, request(data, time));
    case "input.resolved":
      return resolve(run, data, time);
    case "data":
      return show(run, data);
    case "message.finished":
      return {
        ...run,
        finish: data.finish ?? run.finish,
        model: run.model ?? data.usage?.model ?? null,
        tokens: tokens(data.usage) ?? run.tokens,
      };
    case "stop.requested":
      return run.stoppedBy === undefined ? { ...run, stoppedBy: data.by ?? null } : run;
    case "run.finished":
      return {
        ...settle(run, time),
        state: OUTCOMES[data.outcome] ?? "interrupted",
        finish: data.finish ?? run.finish,
        tokens: tokens(data.usage) ?? run.tokens,
      };
    case "run.failed":
      return { ...settle(run, time), state: "failed", error: failure(data) };
    default:
      return run;
  }
}

/** @param {any} data @returns {Failure} */
function failure({ message, code, retryable, retry_after: wait }) {
  return {
    message: message ?? "",
    code: code ?? "",
    retryable: retryable !== false,
    retryAfter: Number.isFinite(wait) ? wait : null,
  };
}

/** @param {Run} run @param {any} data @param {number} time @returns {Text} */
function text(run, data, time) {
  const agent = run.agents[data.message] ?? null;
  return { kind: data.kind, id: data.block, agent, text: "", open: true, began: time, ended: null };
}

/** @param {any} data @param {number} time @returns {Step} */
function call(data, time) {
  const { call: id, tool, input } = data;
  return { kind: "step", id, tool: tool ?? "", input, output: undefined, error: null, began: time, ended: null };
}

/** @param {any} data @param {number} time @returns {Request} */
function request({ request: id, value, schema, error }, time) {
  const reason = typeof error === "string" ? error : null;
  return { kind: "request", id: String(id), value, schema, error: reason, answer: null, began: time, ended: null };
}

/** The first answer counts. @param {Run} run @param {any} data @param {number} time @returns {Run} */
function resolve(run, data, time) {
  const answer = { value: data.value, by: typeof data.by === "string" ? data.by : null };
  const parts = run.parts.map((part) =>
    part.kind === "request" && part.id === data.request && part.ended === null
      ? { ...part, answer, ended: time }
      : part,
  );
  return { ...run, parts };
}

/** The most data that is kept of one run. The oldest gives way. */
const CARDS = 200;

/** @param {Run} run @param {any} data @returns {Run} */
function show(run, data) {
  const own = typeof data.id === "string" ? `${data.name} ${data.id}` : null;
  if (own !== null && run.parts.some((part) => part.kind === "data" && part.id === own)) {
    const parts = run.parts.map((part) =>
      part.kind === "data" && part.id === own ? { ...part, value: data.value } : part,
    );
    return { ...run, parts };
  }
  const cards = run.parts.filter(({ kind }) => kind === "data");
  const parts = cards.length < CARDS ? run.parts : run.parts.filter((part) => part !== cards[0]);
  const id = own ?? `data ${run.cards}`;
  const card = /** @type {Card} */ ({ kind: "data", id, name: String(data.name ?? ""), value: data.value });
  return begin({ ...run, parts, cards: run.cards + 1 }, card);
}

/** The questions that wait for an answer. @param {Run} run @returns {Request[]} */
export const openRequests = (run) =>
  isLive(run)
    ? /** @type {Request[]} */ (run.parts.filter((part) => part.kind === "request" && part.ended === null))
    : [];

/** @param {Run} run @param {Part} part @returns {Run} */
function begin(run, part) {
  return { ...run, state: "streaming", parts: [...run.parts, part] };
}

/** @param {Run} run @param {any} data @param {number} time @returns {Run} */
function delta(run, data, time) {
  const part = run.parts.find((part) => isText(part) && part.id === data.block);
  if (!part && data.kind !== undefined && data.kind !== "text" && data.kind !== "reasoning") return run;
  const known = part ? run : write(run, { kind: "text", ...data }, time);
  return replace(known, data.block, (part) => {
    const text = part.text + (data.delta ?? "");
    return { ...part, text, thought: part.thought ?? (THOUGHT.exec(text)?.[2] ? time : null) };
  });
}

/**
 * Begin a block of text. Its event has the time of its first token; merged deltas have the time of their last one.
 * @param {Run} run @param {any} data @param {number} time @returns {Run}
 */
function write(run, data, time) {
  return { ...begin(run, text(run, data, time)), firstToken: run.firstToken ?? time };
}

/**
 * End a block. Its full content replaces the sum of the deltas.
 * @param {Run} run
 * @param {any} data
 * @param {number} time
 * @returns {Run}
 */
function finishBlock(run, data, time) {
  return replace(run, data.block, (part) => ({
    ...part,
    text: typeof data.content === "string" ? data.content : part.text,
    open: false,
    ended: time,
  }));
}

/** @param {Run} run @param {string} block @param {(part: Text) => Text} change @returns {Run} */
function replace(run, block, change) {
  const parts = run.parts.map((part) => (isText(part) && part.id === block ? change(part) : part));
  return { ...run, parts };
}

/**
 * Change a tool call, which begins here if it is not known. A tool that is tried again keeps its call.
 * @param {Run} run @param {any} data @param {number} time @param {(step: Step) => Step} change @returns {Run}
 */
function changeCall(run, data, time, change) {
  const known = run.parts.some((part) => part.kind === "step" && part.id === data.call);
  const parts = (known ? run : begin(run, call(data, time))).parts.map((part) =>
    part.kind === "step" && part.id === data.call ? change(part) : part,
  );
  return { ...run, parts };
}

/** @param {Run} run @param {any} content @returns {Run} */
function cite(run, content) {
  const n = Number(content?.n ?? run.sources.length + 1);
  if (!Number.isInteger(n) || run.sources.some((source) => source.n === n)) return run;
  const { title, path, url, lines, passage } = content ?? {};
  const source = {
    n,
    title: String(title || path || url || `Source ${n}`),
    path: typeof path === "string" ? path : null,
    url: typeof url === "string" ? url : null,
    lines: /** @type {[number, number] | null} */ (Array.isArray(lines) && lines.length === 2 ? lines : null),
    passage: typeof passage === "string" ? passage : "",
  };
  return { ...run, sources: [...run.sources, source].sort((a, b) => a.n - b.n) };
}

/** End everything that is open when a run ends. @param {Run} run @param {number} time @returns {Run} */
function settle(run, time) {
  const parts = run.parts.map((part) => {
    if (part.kind === "data") return part;
    return { ...part, ...(isText(part) && { open: false }), ended: part.ended ?? time };
  });
  return { ...run, parts: /** @type {Part[]} */ (parts), ended: time };
}

/** @param {Part} part @returns {part is Text} */
const isText = (part) => part.kind === "text" || part.kind === "reasoning";

/** @param {any} usage of one model, or a list of several @returns {number | null} */
function tokens(usage) {
  const counts = (Array.isArray(usage) ? usage : [usage]).map((one) => one?.output_tokens).filter(Number.isFinite);
  return counts.length > 0 ? counts.reduce((sum, count) => sum + count, 0) : null;
}

/** The answer's text, as Markdown. @param {Run} run */
export function textOf(run) {
  return run.parts
    .flatMap(thoughtApart)
    .flatMap((part) => (part.kind === "text" ? [part.text] : []))
    .join("\n\n");
}

/** Check if an assistant has searched the documentation and found nothing to quote. @param {Run} run */
export const isMiss = ({ state, sources, parts }) =>
  state === "finished" &&
  sources.length === 0 &&
  parts.some((part) => part.kind === "step" && part.tool === "search_documentation" && part.error === null);
