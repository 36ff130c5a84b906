import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { episodesOf } from "../dashboards/episodes-fold.js";
import { DAY, showRange } from "../dashboards/view-state.js";
import { html, valueOf } from "../kit/html.js";
import { goAlert } from "../page/address.js";
import { partTitle } from "../page/layout.js";
import { time } from "../text/format.js";
import { RuleChart } from "./chart.js";
import { KINDS, formFrom, formOf, has, ruleOf } from "./rule-fold.js";
import * as state from "./state.js";
import { WebhookFields } from "./webhook-fields.js";
import { AGGREGATIONS, previewed } from "./words-fold.js";

/** @typedef {import("./rule-fold.js").Form} Form */
/** @typedef {import("./rule-fold.js").Rule} Rule */

/** Milliseconds without a change after which the preview is made. */
const PAUSE = 400;

/** Transitions that a preview lists. */
const LISTED = 5;

/** The form of a rule, with its preview on the last 24 hours. @param {{before: state.Details | null}} props null: a new rule */
export function RuleForm({ before }) {
  const form = useSignal(before ? formOf(before.rule) : formFrom(location.search));
  const webhooks = useSignal(before?.rule.webhooks ?? []);
  const failed = useSignal("");
  const key = useMemo(state.newKey, []);
  const busy = useRef(false);
  useEffect(() => {
    partTitle.value = before ? "Change rule" : "New rule";
    showRange(DAY);
  }, []);
  const set = (/** @type {keyof Form} */ name) => (/** @type {Event} */ event) =>
    void (form.value = { ...form.value, [name]: valueOf(event) });
  const made = () => {
    const rule = ruleOf(form.value, before?.rule);
    return { ...rule, webhooks: webhooks.value };
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy.current) return;
    busy.current = true;
    failed.value = "";
    try {
      await state.save(before?.id ?? null, made(), key);
    } catch (error) {
      failed.value = /** @type {Error} */ (error).message;
    }
    busy.current = false;
  };
  const leave = () => (before ? (state.editing.value = false) : goAlert(""));
  return html`
    <div class="boards" id="composer" tabindex="0" role="region" aria-label=${partTitle.value}>
      <form class="boards-column alerts rule-form" aria-label="Rule" onSubmit=${submit}>
        <${Fields} form=${form.value} set=${set} />
        <${WebhookFields} chosen=${webhooks} />
        <${Preview} made=${made} form=${form.value} />
        ${failed.value && html`<p class="error" role="alert">Not saved. ${failed.value}</p>`}
        <div class="choices">
          <button type="button" class="button" onClick=${leave}>Cancel</button>
          <button type="submit" class="button primary">${before ? "Save" : "Make the rule"}</button>
        </div>
      </form>
    </div>
  `;
}

/** @typedef {(name: keyof Form) => (event: Event) => void} Set */

/** @param {{form: Form, set: Set}} props */
function Fields({ form, set }) {
  const { kind } = form;
  const input = (/** @type {keyof Form} */ name, /** @type {string} */ label, /** @type {string} */ hint, more = {}) =>
    has(kind, name) &&
    html`<label class="field"
      ><span>${label}</span
      ><input value=${form[name]} placeholder=${hint} onInput=${set(name)} autocapitalize="off" ...${more}
    /></label>`;
  const select = (
    /** @type {keyof Form} */ name,
    /** @type {string} */ label,
    /** @type {readonly (readonly [string, string])[]} */ options,
  ) =>
    has(kind, name) &&
    html`<label class="field"
      ><span>${label}</span
      ><select value=${form[name]} onChange=${set(name)}>
        ${options.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}
      </select></label
    >`;
  return html`
    ${input("title", "Title", "CPU of the web server", { maxlength: 200 })}
    <div class="pair">
      ${input("topic", "Topic", "cpu.web", { required: true })} ${select("kind", "Fires when", KINDS)}
    </div>
    <div class="pair">
      ${input("field", "Field of the number", "load")} ${input("by", "One alert for each", "host")}
    </div>
    <div class="pair">
      ${select("side", "Wrong is", [
        ["above", "Above"],
        ["below", "Below"],
      ])}
      ${input("limit", "Limit", "90", { inputmode: "decimal" })} ${input("absent", "Silent for", "5 min")}
    </div>
    <div class="pair">
      ${input("for", "For at least", "at once")}
      ${input("clear", "Over when back at", "the limit", { inputmode: "decimal" })}
    </div>
    <details>
      <summary>More</summary>
      <div class="pair">
        ${input("window", "Judge the last", "each value")} ${select("agg", "By their", AGGREGATIONS)}
      </div>
      <div class="pair">
        ${input("keep", "Over when clear for", "at once")} ${input("repeat", "Tell again every", "never")}
      </div>
      <div class="pair">
        ${input("no_data", "No data after", "never")}
        ${select("on_no_data", "Then", [
          ["keep", "Change nothing"],
          ["notify", "Tell so"],
          ["ok", "Take it as over"],
        ])}
      </div>
      <div class="pair">
        ${input("people", "Tell", "you")} ${input("link", "Notices lead to", "this rule", { maxlength: 1000 })}
      </div>
    </details>
  `;
}

/**
 * The preview: what the rule would have done.
 * @param {{made: () => Rule, form: Form}} props
 */
function Preview({ made, form }) {
  const found = useSignal(/** @type {{rule: Rule, answer: any} | null} */ (null));
  const wrong = useSignal("");
  const asked = useRef(0);
  const text = judged(form);
  useEffect(() => {
    const mine = (asked.current += 1);
    const timer = setTimeout(async () => {
      if (!form.topic.trim()) return;
      try {
        const rule = made();
        const answer = await state.preview(rule);
        if (mine === asked.current) [found.value, wrong.value] = [{ rule, answer }, ""];
      } catch (error) {
        if (mine === asked.current) wrong.value = /** @type {Error} */ (error).message;
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const fired = (found.value?.answer.transitions ?? []).filter(
    (/** @type {any} */ { state, was }) => state === "firing" && was !== "recovering",
  );
  return html`
    <section class="rule-preview" aria-label="Preview" aria-live="polite">
      <h2>Preview</h2>
      ${!found.value && !wrong.value && html`<p class="none">Name a topic and a limit to see what the rule would have done.</p>`}
      ${wrong.value && html`<p class="amber">${wrong.value}</p>`}
      ${
        found.value &&
        html`
          <p class=${wrong.value ? "none" : ""}>${previewed(found.value.answer)}</p>
          ${
            fired.length > 0 &&
            html`<p class="none">
              ${fired
                .slice(-LISTED)
                .map((/** @type {any} */ { at, instance }) => `${time(at)}${instance ? ` ${instance}` : ""}`)
                .join(", ")}${fired.length > LISTED ? ` and ${fired.length - LISTED} before` : ""}
            </p>`
          }
          <${RuleChart} rule=${found.value.rule} episodes=${episodesOf(found.value.answer.transitions)} />
        `
      }
    </section>
  `;
}

/** The part of a form on which a preview depends. @param {Form} form */
function judged(form) {
  const { title: _title, people: _people, link: _link, repeat: _repeat, ...rest } = form;
  return JSON.stringify(rest);
}
