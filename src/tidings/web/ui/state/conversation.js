import { batch, computed, signal } from "@preact/signals";
import * as turnsOf from "../folds/conversation.js";
import * as runOf from "../folds/run.js";
import { follow, subscribe } from "./connection.js";
import { soon } from "./frames.js";
import { followRun, leaveRuns, runSignal } from "./runs.js";
import { ended } from "./session.js";

/**
 * A conversation as this tab knows it: the fold of its topic, and of each of its runs' topics.
 *
 * Its topic is followed while it is shown, and from the same offset when it is shown again. Its runs are followed to
 * their end, so that an answer which streams while another conversation is read has its place when one comes back.
 */
export class Conversation {
  /** @type {import("@preact/signals").Signal<turnsOf.Conversation>} */
  turns = signal(turnsOf.empty);
  /**
   * "new": begun in this tab, and not with the server yet. "missing": there is no such topic. "trimmed": its beginning
   * is gone.
   * @type {import("@preact/signals").Signal<"loading" | "ready" | "new" | "missing" | "trimmed">}
   */
  status = signal("loading");
  /** What was refused while it was read. @type {import("@preact/signals").Signal<string | null>} */
  refused = signal(null);
  /**
   * The versions chosen by hand, by the run that began the turn.
   * @type {import("@preact/signals").Signal<Record<string, number>>}
   */
  chosen = signal({});
  /** The run that writes now, the last if there are several. */
  live = computed(() => this.#all().findLast((one) => runOf.isLive(runSignal(one.run).value))?.run ?? null);
  /** Whether it was read whole and no run is under way: the next question may be asked. */
  quiet = computed(
    () =>
      this.status.value !== "loading" &&
      !this.live.value &&
      !this.#all().some((one) => runSignal(one.run).value.state === "unread"),
  );

  #folded = turnsOf.empty;
  #wanted = false;
  #reading = false;
  /** Where to go on; "" until its history was read. */
  #offset = "";
  /** @type {import("../../client/index.js").Subscription | null} */
  #subscription = null;
  /** @type {import("../../client/index.js").Reading} */
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

  /** The version of a turn that is shown. @param {turnsOf.Turn} turn */
  shown(turn) {
    return turn[Math.min(this.chosen.value[turn[0].run] ?? Infinity, turn.length - 1)];
  }

  /** @param {turnsOf.Turn} turn @param {number} version */
  choose(turn, version) {
    this.chosen.value = { ...this.chosen.value, [turn[0].run]: version };
  }

  /** Read it, and go on reading it. Does nothing when that is under way. */
  async follow() {
    if (this.#wanted) return;
    this.#wanted = true;
    if (this.#offset) this.#subscription = subscribe(this.topic, { ...this.#reader, after: this.#offset });
    if (this.#offset || this.#reading) return;
    this.#reading = true;
    try {
      const found = await follow(this.topic, this.#reader);
      if (found === "missing") {
        this.#wanted = false;
        this.status.value = "missing";
      } else if (found !== "closed") {
        this.#subscription = found;
        if (!this.#wanted) this.#leave();
      }
    } catch (error) {
      this.#wanted = false;
      if (!ended(error)) this.refused.value = /** @type {Error} */ (error).message;
    } finally {
      this.#reading = false;
    }
  }

  /** Stop following its topic, for now. */
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
   * A run this tab started: it need not wait until the topic tells of it, which it will.
   * @param {string} id
   * @param {{question: string, parent: string | null, assistant: string | null, by: string | null}} about
   */
  started(id, { question, ...about }) {
    const data = { run: id, input: question, ...about };
    const begun = runSignal(id);
    if (begun.value.state === "unread") begun.value = { ...begun.value, state: "waiting" };
    this.#take([{ topic: this.topic, offset: null, type: "run.created", time: Date.now() / 1000, data }]);
    void this.follow();
  }

  /**
   * The last run of each turn that is shown, before a run or to the end: what a model is told.
   * @param {string | null} before
   */
  history(before) {
    const turns = this.turns.value;
    const end = before ? (turnsOf.find(turns, before)?.turn ?? turns.length) : turns.length;
    return turns.slice(0, end).flatMap((turn) => {
      const { question, run: id } = this.shown(turn);
      const answer = runOf.textOf(runSignal(id).value);
      const asked = { role: "user", content: question };
      return answer ? [asked, { role: "assistant", content: answer }] : [];
    });
  }

  #all() {
    return this.turns.value.flat();
  }

  /** @param {import("../../client/index.js").Event[]} events */
  #take(events) {
    const before = this.#folded;
    this.#folded = events.reduce(turnsOf.fold, before);
    const known = new Set(before.flat().map(({ run }) => run));
    for (const { run } of this.#folded.flat()) if (!known.has(run)) void followRun(run);
    soon(() =>
      batch(() => {
        this.turns.value = this.#folded;
        if (this.status.value !== "trimmed") this.status.value = "ready";
      }),
    );
  }

  /** @param {string} reason */
  #lost(reason) {
    if (reason !== "trimmed") this.#folded = turnsOf.empty;
    this.turns.value = this.#folded;
    this.status.value = reason === "trimmed" ? "trimmed" : "missing";
  }

  /** Stop following; for a conversation that was deleted. */
  end() {
    this.rest();
    leaveRuns(this.#all().map(({ run }) => run));
  }
}

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

/** Those this tab has read, for the search. */
export const read = () => [...known.values()];
