import { batch, computed, signal } from "@preact/signals";
import { Problem } from "../../client/index.js";
import * as runOf from "../answer/fold.js";
import { followRun, leaveRuns, runSignal } from "../answer/state.js";
import { follow, subscribe, tidings } from "../connection/state.js";
import { soon } from "../page/frames.js";
import { ended } from "../session/state.js";
import * as tree from "./fold.js";

/**
 * A conversation as this tab knows it: the fold of its topic and of the topics of its runs.
 *
 * Its topic is followed while it is shown, and from the same offset when it is shown again. Its runs are followed to
 * their ends, so that an answer that was written meanwhile is complete then.
 */
export class Conversation {
  /** @type {import("@preact/signals").Signal<tree.Conversation>} */
  state = signal(tree.empty);
  /**
   * "new": begun in this tab, and not with the server yet. "missing": the topic does not exist. "trimmed": retention has
   * removed its beginning.
   * @type {import("@preact/signals").Signal<"loading" | "ready" | "new" | "missing" | "trimmed">}
   */
  status = signal("loading");
  /** The server's reason for refusing to let it be read. @type {import("@preact/signals").Signal<string | null>} */
  refused = signal(null);
  /** All of the history was read. */
  whole = signal(false);
  /** The refusal is for good: the conversation belongs to someone else. */
  foreign = signal(false);
  /**
   * The versions chosen by hand, by the run of the turn's first version.
   * @type {import("@preact/signals").Signal<Record<string, number>>}
   */
  chosen = signal({});
  #path = computed(() => tree.path(this.state.value, this.chosen.value));
  /** The shown turns. */
  turns = computed(() => this.#path.value.turns);
  /** The run that is being written, the last if there are several. */
  live = computed(() => this.#all().findLast((one) => runOf.isLive(runSignal(one.run).value))?.run ?? null);
  /** The history was read and no run is under way, so that the next question may be sent. */
  quiet = computed(
    () =>
      this.status.value !== "loading" &&
      !this.live.value &&
      !this.#all().some((one) => runSignal(one.run).value.state === "unread"),
  );

  /** The fold of the log alone. */
  #logged = tree.empty;
  /** Runs that this tab has started and the log has not announced yet. @type {import("../../client/index.js").Event[]} */
  #ahead = [];
  #wanted = false;
  #reading = false;
  /** The offset from which to follow; "" until the history was read. */
  #offset = "";
  /** @type {import("../../client/index.js").Subscription | null} */
  #subscription = null;
  /** @type {import("../../client/index.js").SubscribeOptions} */
  #reader = {
    onEvents: (events) => this.#take(events),
    onReset: ({ reason }) => this.#lost(reason),
    onError: ({ message }) => (this.refused.value = message),
  };

  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.topic = `conversations.${id}`;
  }

  /** The version of a turn that is shown. @param {tree.Turn} turn */
  shown(turn) {
    const { turns, shown } = this.#path.value;
    return shown[turns.indexOf(turn)] ?? turn[turn.length - 1];
  }

  /** @param {tree.Turn} turn @param {number} version */
  choose(turn, version) {
    this.chosen.value = { ...this.chosen.value, [turn[0].run]: version };
  }

  /** Show a version, with those that lead to it. @param {string} run */
  show(run) {
    const turns = tree.places(this.state.value);
    for (const one of tree.line(this.state.value, run)) {
      const turn = turns.find((versions) => versions.includes(one));
      if (turn && !this.#path.value.shown.includes(one)) this.choose(turn, turn.indexOf(one));
    }
  }

  /** Read the conversation and follow it. Does nothing if that is under way. */
  async follow() {
    if (this.#wanted) return;
    this.#wanted = true;
    if (this.#offset) this.#subscription = subscribe(this.topic, { ...this.#reader, after: this.#offset });
    if (this.#offset || this.#reading) return;
    this.#reading = true;
    this.refused.value = null;
    this.foreign.value = false;
    try {
      const found = await follow(this.topic, this.#reader);
      if (found === "missing") {
        this.#wanted = false;
        this.status.value = "missing";
        return;
      }
      soon(() => (this.whole.value = true)); // after the last events are in the state
      if (found !== "closed") {
        this.#subscription = found;
        if (!this.#wanted) this.#leave();
      }
    } catch (error) {
      this.#wanted = false;
      if (!ended(error)) {
        this.refused.value = /** @type {Error} */ (error).message;
        this.foreign.value = error instanceof Problem && error.status === 403;
      }
    } finally {
      this.#reading = false;
    }
  }

  /** Stop following the topic while it is not shown. */
  rest() {
    if (!this.#wanted) return;
    this.#wanted = false;
    if (!this.#reading) this.#leave();
  }

  #leave() {
    this.#subscription?.close();
    this.#offset = this.#subscription?.position ?? this.#offset;
    this.#subscription = null;
  }

  /**
   * Show a run that this tab has started before the topic announces it.
   * @param {string} id
   * @param {{question: string, parent: string | null, assistant: string | null, by: string | null, files: readonly unknown[]}} about
   */
  started(id, { question, ...about }) {
    const data = { run: id, input: question, ...about };
    const begun = runSignal(id);
    if (begun.value.state === "unread") begun.value = { ...begun.value, state: "waiting" };
    this.#ahead.push({ topic: this.topic, offset: null, type: "run.created", time: Date.now() / 1000, data });
    this.chosen.value = {};
    this.#take([]);
    void this.follow();
  }

  /**
   * The messages for the model: the questions and answers before a run that is asked again, else all that are shown.
   * @param {string | null} again
   */
  history(again) {
    const other = tree.find(this.state.value, again);
    const before = other ? tree.line(this.state.value, other.after) : this.#path.value.shown;
    return before.flatMap(({ question, files, run: id }) => {
      const answer = runOf.textOf(runSignal(id).value);
      const asked = asking(question, files);
      return answer ? [asked, { role: "assistant", content: answer }] : [];
    });
  }

  /**
   * Make the next question follow the shown branch, which may not be the branch of the last question.
   * @param {string} key makes repeating safe
   */
  async goOn(key) {
    const run = this.#path.value.shown.at(-1)?.run;
    if (run && run !== this.state.value.head)
      await tidings.publish(this.topic, { run }, { type: "branch.chosen", key });
  }

  /** @param {string} run @param {"up" | "down" | null} rating */
  async rate(run, rating) {
    await tidings.publish(this.topic, { run, rating }, { type: "answer.rated" });
  }

  #all() {
    return this.state.value.versions;
  }

  /** @param {import("../../client/index.js").Event[]} events */
  #take(events) {
    this.#logged = events.reduce(tree.fold, this.#logged);
    this.#ahead = this.#ahead.filter(({ data }) => !tree.find(this.#logged, data.run));
    const now = this.#ahead.reduce(tree.fold, this.#logged);
    for (const { run } of now.versions) void followRun(run);
    soon(() =>
      batch(() => {
        this.state.value = now;
        if (this.status.value !== "trimmed") this.status.value = "ready";
      }),
    );
  }

  /** @param {string} reason */
  #lost(reason) {
    if (reason !== "trimmed") this.state.value = this.#logged = tree.empty;
    this.status.value = reason === "trimmed" ? "trimmed" : "missing";
  }

  /** Stop following a conversation that was deleted, and its runs. */
  end() {
    this.rest();
    leaveRuns(this.#all().map(({ run }) => run));
  }
}

/** A question as a message for the model. @param {string} content @param {readonly {id: string}[]} files */
export const asking = (content, files) => ({
  role: "user",
  content,
  ...(files.length > 0 && { files: files.map(({ id }) => id) }),
});

/** @type {Map<string, Conversation>} */
const known = new Map();

/** @param {string} id @returns {Conversation} */
export function conversation(id) {
  let found = known.get(id);
  if (!found) known.set(id, (found = new Conversation(id)));
  return found;
}

/** @param {string} id */
export function forget(id) {
  known.get(id)?.end();
  known.delete(id);
}

/** The conversations that this tab has read. */
export const read = () => [...known.values()];
