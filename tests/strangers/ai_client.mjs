/**
 * Vercel's AI SDK, as `useChat` uses it, over each case of ai_cases.py.
 *
 * `node ai_client.mjs URL WAY` prints a line of JSON for each answer that was read: `{name, parts, error}`. For
 * the case `interrupted` it prints `"kill"` and waits for a line, by which time the server has been killed and started.
 */
import { createInterface } from "node:readline";

import { AbstractChat, DefaultChatTransport } from "ai";

const [url, way] = process.argv.slice(2);
const api = `${url}/${way}`;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = (value) => console.log(JSON.stringify(value));
const post = (name, what) => fetch(`${api}/${name}/${what}`, { method: "POST" });

class State {
  status = "ready";
  error = undefined;
  messages = [];
  pushMessage = (message) => this.messages.push(message);
  popMessage = () => this.messages.pop();
  replaceMessage = (index, message) => (this.messages[index] = structuredClone(message));
  snapshot = (value) => structuredClone(value);
}

/** The parts of an answer in the least words that tell them apart. */
const brief = (part) => {
  if (part.type.startsWith("tool-")) return [part.type, part.state, part.input, part.output];
  if (part.type.startsWith("data-")) return [part.type, part.data];
  return part.type === "file" ? [part.type, part.mediaType, part.url] : [part.type, part.text];
};

/** A tab with a chat. `useChat` is this class with React's state. */
class Tab extends AbstractChat {
  constructor(id) {
    super({ id, transport: new DefaultChatTransport({ api }), state: new State() });
  }

  get parts() {
    const answers = this.messages.filter(({ role }) => role === "assistant");
    return answers.flatMap(({ parts }) => parts.filter(({ type }) => type !== "step-start").map(brief));
  }

  async shows(text) {
    while (!this.parts.some(([type, shown]) => type === "text" && shown === text)) {
      if (this.error) throw this.error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  tell(name) {
    tell({ name, parts: this.parts, error: this.error?.message ?? "" });
  }
}

const ask = (tab) => tab.sendMessage({ text: tab.id });

async function plain(name) {
  const tab = new Tab(name);
  await ask(tab);
  return tab;
}

const CASES = {
  complete: plain,
  empty: plain,
  long: plain,
  hard: plain,
  failed: plain,
  "two-topics": plain,
  tools: plain,
  reasoning: plain,
  files: plain,
  async stopped(name) {
    const tab = new Tab(name);
    const asked = ask(tab);
    await tab.shows("some ");
    await post(name, "stop");
    await asked;
    return tab;
  },
  async resumed(name) {
    const left = new Tab(name);
    const asked = ask(left);
    await left.shows("some ");
    await left.stop();
    await asked;
    const tab = new Tab(name);
    const resumed = tab.resumeStream();
    await tab.shows("some ");
    await post(name, "go");
    await resumed;
    return tab;
  },
  async again(name) {
    await plain(name);
    const tab = new Tab(name);
    await tab.resumeStream();
    return tab;
  },
  async "second-tab"(name) {
    const first = new Tab(name);
    const asked = ask(first);
    await first.shows("some ");
    const tab = new Tab(name);
    const resumed = tab.resumeStream();
    await tab.shows("some ");
    await post(name, "go");
    await Promise.all([asked, resumed]);
    if (JSON.stringify(first.parts) !== JSON.stringify(tab.parts)) throw new Error("the tabs differ");
    return tab;
  },
  async redacted(name) {
    await plain(name);
    await post(name, "redact");
    const tab = new Tab(name);
    await tab.resumeStream();
    return tab;
  },
  async interrupted(name) {
    const cut = new Tab(name);
    const asked = ask(cut);
    await cut.shows("some ");
    tell("kill");
    await lines.next();
    await asked;
    if (!cut.error) throw new Error("the cut looks like the end");
    const tab = new Tab(name);
    await tab.resumeStream();
    return tab;
  },
};

for (const [name, read] of Object.entries(CASES)) (await read(name)).tell(name);
process.exit();
