/**
 * Questions to people, by the shapes in which agents ask them: reviews of tool calls, forms, and anything else. Pure.
 *
 * LangChain's HumanInTheLoopMiddleware asks for all tool calls of a turn at once, or (`per_call`) for each by itself;
 * LangGraph's `HumanInterrupt`, which Agent Inbox shows, is the older shape. Their answers differ.
 */
import { written } from "./json-fold.js";
import { OPTIONS, fieldOf, isObject, resolve } from "./schema-fold.js";

/** The most tool calls of one question. */
const ACTIONS = 20;
/** The most characters of a question's text. */
const TEXT = 4000;

/** @typedef {import("./schema-fold.js").Schema} Schema */
/** @typedef {"approve" | "edit" | "reject" | "respond"} Choice */

/**
 * @typedef {object} Action a tool call that waits for a decision
 * @property {string} name
 * @property {Record<string, unknown>} args
 * @property {string} description
 * @property {Choice[]} choices
 * @property {Schema | null} schema of the arguments, if it is told
 */

/** @typedef {{choice: Choice, text?: string, args?: unknown}} Decision `text`: a reason, or an answer */
/** @typedef {{kind: "review", form: "batch" | "call" | "inbox", actions: Action[]}} Review */
/** @typedef {{kind: "form", text: string, facts: unknown, field: import("./schema-fold.js").Field}} FormQuestion */
/** @typedef {{kind: "open", text: string, facts: unknown}} Open any answer; `facts`: what is said beside the text */
/** @typedef {{kind: "pause", next: string[]}} Pause a stop before these nodes, after which the graph goes on */
/** @typedef {Review | FormQuestion | Open | Pause} Question */

/** The question of a request. @param {{value: unknown, schema: unknown}} request @returns {Question} */
export function questionOf({ value, schema }) {
  return batch(value) ?? call(value, schema) ?? inbox(value) ?? pause(value, schema) ?? asked(value, schema);
}

/** @param {unknown} value @returns {Review | null} */
function batch(value) {
  if (!isObject(value) || !Array.isArray(value.action_requests)) return null;
  const configs = Array.isArray(value.review_configs) ? value.review_configs.filter(isObject) : [];
  const requests = value.action_requests.filter(isObject);
  if (requests.length === 0 || requests.length > ACTIONS) return null;
  const actions = requests.map((one) => {
    const name = String(one.name ?? one.action ?? "");
    const config = configs.find((other) => other.action_name === name) ?? {};
    return action(name, one.args ?? one["arguments"], one.description, config.allowed_decisions, config.args_schema);
  });
  return { kind: "review", form: "batch", actions };
}

/** @param {unknown} value @param {unknown} given @returns {Review | null} */
function call(value, given) {
  if (!isObject(value) || value.type !== "tool_approval" || typeof value.name !== "string") return null;
  const root = isObject(given) ? given : {};
  const branches = (Array.isArray(root.oneOf) ? root.oneOf : [root]).map((one) => resolve(root, one).schema);
  const inside = (/** @type {Schema} */ schema, /** @type {string} */ name) =>
    resolve(root, isObject(schema.properties) ? schema.properties[name] : null).schema;
  const edit = branches.find((one) => inside(one, "type").const === "edit");
  const args = edit && inside(inside(edit, "edited_action"), "args");
  const allowed = branches.map((one) => inside(one, "type").const);
  const schema = args && { ...args, $defs: root.$defs };
  return {
    kind: "review",
    form: "call",
    actions: [action(value.name, value.args, value.description, allowed, schema)],
  };
}

/** @type {[string, Choice][]} */
const INBOX = [
  ["allow_accept", "approve"],
  ["allow_edit", "edit"],
  ["allow_respond", "respond"],
  ["allow_ignore", "reject"],
];

/** @param {unknown} value @returns {Review | null} */
function inbox(value) {
  const one = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (!isObject(one) || !isObject(one.action_request) || !isObject(one.config)) return null;
  const { action_request: wanted, config, description } = one;
  const allowed = INBOX.filter(([name]) => config[name] === true).map(([, choice]) => choice);
  const actions = [action(String(wanted.action ?? ""), wanted.args, description, allowed, null)];
  return { kind: "review", form: "inbox", actions };
}

/** @type {Choice[]} */
const CHOICES = ["approve", "edit", "reject", "respond"];

/** The default text of the middleware, which repeats the name and the arguments. */
const REPEATED = /^(Tool execution requires approval)?([^]*?)\n\nTool: [^\n]*\nArgs: [^]*$/;

/**
 * @param {string} name @param {unknown} args @param {unknown} description @param {unknown} allowed
 * @param {unknown} schema @returns {Action}
 */
function action(name, args, description, allowed, schema) {
  const choices = CHOICES.filter((one) => Array.isArray(allowed) && allowed.includes(one));
  return {
    name,
    args: isObject(args) ? args : args === undefined || args === null ? {} : { input: args },
    description: (typeof description === "string" ? description : "").replace(REPEATED, "$2").trim().slice(0, TEXT),
    choices: choices.length > 0 ? choices : ["approve", "reject"],
    schema: isObject(schema) && Object.keys(schema).length > 0 ? schema : null,
  };
}

/** @param {unknown} value @param {unknown} schema @returns {Pause | null} */
function pause(value, schema) {
  if (schema || !isObject(value) || Object.keys(value).join() !== "next" || !Array.isArray(value.next)) return null;
  return { kind: "pause", next: value.next.map(String).slice(0, 10) };
}

/** Keys whose text is the question, the first of them that is there. */
const QUESTION = [
  "question",
  "message",
  "prompt",
  "query",
  "instruction",
  "instructions",
  "task",
  "title",
  "description",
];
/** Keys of a schema inside of a question. The last is that of MCP's elicitations. */
const SCHEMA = ["response_schema", "schema", "requestedSchema"];
/** Keys of answers to choose from. */
const CHOOSE = ["options", "choices"];

/** @param {unknown} value @param {unknown} given @returns {FormQuestion | Open} */
function asked(value, given) {
  let schema = isObject(given) && Object.keys(given).length > 0 ? given : null;
  if (!isObject(value)) {
    const facts = typeof value === "string" ? undefined : (value ?? undefined);
    return form(typeof value === "string" ? value : "", facts, schema);
  }
  const key = QUESTION.find((name) => typeof value[name] === "string");
  const used = new Set([key]);
  for (const name of SCHEMA) {
    const inner = value[name];
    if (schema || !isObject(inner) || !(inner.type || inner.properties || inner.enum || inner.anyOf)) continue;
    schema = inner;
    used.add(name);
  }
  for (const name of CHOOSE) {
    const options = value[name];
    if (schema || !Array.isArray(options) || options.length === 0 || options.length > OPTIONS) continue;
    if (!options.every((one) => ["string", "number"].includes(typeof one))) continue;
    schema = { enum: options };
    used.add(name);
  }
  const rest = Object.entries(value).filter(([name]) => !used.has(name));
  return form(key ? String(value[key]) : "", rest.length > 0 ? Object.fromEntries(rest) : undefined, schema);
}

/** @param {string} text @param {unknown} facts @param {Schema | null} schema @returns {FormQuestion | Open} */
function form(text, facts, schema) {
  const about = { text: text.slice(0, TEXT), facts };
  return schema ? { kind: "form", ...about, field: fieldOf(schema) } : { kind: "open", ...about };
}

// Answers.

/** The answer to a review, in the form that its asker understands. @param {Review} review @param {Decision[]} made */
export function decided({ form, actions }, made) {
  const decisions = made.map((one, n) => decision(one, actions[n].name));
  if (form === "batch") return { decisions };
  return form === "call" ? decisions[0] : [inboxed(made[0], actions[0].name)];
}

/** @param {Decision} decision @param {string} name */
function decision({ choice, text, args }, name) {
  if (choice === "edit") return { type: choice, edited_action: { name, args } };
  return { type: choice, ...(choice !== "approve" && (text || choice === "respond") ? { message: text ?? "" } : {}) };
}

/** @param {Decision} decision @param {string} action */
function inboxed({ choice, text, args }, action) {
  if (choice === "edit") return { type: "edit", args: { action, args } };
  if (choice === "respond") return { type: "response", args: text ?? "" };
  return { type: choice === "approve" ? "accept" : "ignore", args: null };
}

/** @type {Record<string, string>} */
const VERBS = {
  approve: "Approved",
  accept: "Approved",
  edit: "Edited",
  reject: "Rejected",
  ignore: "Ignored",
  respond: "Answered",
  response: "Answered",
};

/**
 * The words for an answer: a verb, and the text that came with it.
 * @param {Question} question @param {unknown} answer @returns {{verb: string, text: string}}
 */
export function saidBy(question, answer) {
  if (question.kind === "pause") return { verb: "Continued", text: "" };
  if (question.kind !== "review") return { verb: "Answered", text: plain(answer) };
  const made = (isObject(answer) && Array.isArray(answer.decisions) ? answer.decisions : [answer].flat()).filter(
    isObject,
  );
  const verbs = made.map(({ type }) => VERBS[String(type)] ?? "Answered");
  if (verbs.length === 0) return { verb: "Answered", text: plain(answer) };
  const texts = made.map(({ message, args }) => message ?? args).filter((one) => typeof one === "string");
  const same = verbs.every((verb) => verb === verbs[0]);
  const verb = same ? verbs[0] : "Decided";
  const all = same ? "" : verbs.join(", ").toLowerCase();
  return { verb, text: texts.length > 0 ? String(texts[0]) : all };
}

/** @param {unknown} value */
const plain = (value) =>
  value === true ? "yes" : value === false ? "no" : typeof value === "string" ? value : written(value);
