import { batch, computed, signal } from "@preact/signals";
import { Problem } from "../../client/index.js";
import { isLive } from "../answer/fold.js";
import { followRun, runSignal } from "../answer/state.js";
import { subscribe, tidings } from "../connection/state.js";
import { distance, isRead } from "../log/offset-fold.js";
import { soon } from "../page/frames.js";
import { foldTyping, quiet, typists } from "../people/fold.js";
import { ended, session } from "../session/state.js";
import { aboutOf, foldAbout } from "./about-fold.js";
import * as roomOf from "./fold.js";
import { before, newsSince } from "./events-fold.js";

/** @typedef {import("../../client/index.js").Event} Event */

/** Events of one earlier page. */
const PAGE = 100;
/** Events of one page while reading back to a message. */
const FAR = 1000;
/** The most events that are kept of a room that is not shown. */
const MUCH = 5000;

/**
 * A room as this tab knows it: its name, members, and a stretch of its log without a gap, up to the log's end. It is
 * followed while it is shown. Shown again, it starts from the server's present answer: no reader waits for a night's replay.
 */
export class Room {
  /** @type {import("@preact/signals").Signal<roomOf.Items>} */
  items = signal(roomOf.none);
  /** Name, members and so on; null until they were read. @type {import("@preact/signals").Signal<import("./about-fold.js").About | null>} */
  about = signal(null);
  /** @type {import("@preact/signals").Signal<"loading" | "ready" | "missing" | "refused">} */
  status = signal("loading");
  shut = computed(() => this.status.value === "refused" || this.status.value === "missing");
  /** The reason of "refused". */
  reason = signal("");
  /** The number of `items` that were added at the top. */
  above = 0;
  /** Counts how often the stretch was begun anew. */
  begun = 0;
  /**
   * Earlier pages: there are some, one is being read, or there are none.
   * @type {import("@preact/signals").Signal<"some" | "reading" | "none">}
   */
  earlier = signal("none");
  /**
   * The time that was reached while reading back to a message, else null.
   * @type {import("@preact/signals").Signal<number | null>}
   */
  back = signal(null);
  /** The offset of the last event. */
  position = signal("");
  /** The read marker. @type {import("@preact/signals").Signal<string | null>} */
  read = signal(null);
  /** The marker at arrival, which places the line above the new items. @type {import("@preact/signals").Signal<string | null>} */
  since = signal(null);
  /** Counts the arrivals at this room. */
  visits = signal(0);
  /** The other people who are typing. @type {import("@preact/signals").Signal<readonly string[]>} */
  typing = signal([]);
  /** The most bytes of a file. */
  maxFile = Infinity;
  /** The person's role. */
  role = computed(() => {
    const [members, me] = [this.about.value?.members ?? {}, session.value?.name ?? ""];
    return Object.hasOwn(members, me) ? members[me] : null;
  });
  /** Runs under way, in the order of their beginning. */
  live = computed(() =>
    this.items.value.flatMap((item) =>
      item.kind === "answer" && item.outcome === null && isLive(runSignal(item.run).value) ? [item.run] : [],
    ),
  );

  /** The events of the stretch. @type {Event[]} */
  #events = [];
  #stretch = new roomOf.Stretch();
  /** The request for an earlier page, while it is under way. @type {Promise<boolean> | null} */
  #page = null;
  #about = /** @type {any} */ (null);
  #previous = "";
  #typing = quiet;
  #wanted = false;
  #coming = false;
  /** Counts the requests, so that a late answer is ignored. */
  #life = 0;
  /** @type {import("../../client/index.js").Subscription | null} */
  #subscription = null;

  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.topic = `rooms.${id}`;
  }

  /** Read the room and follow it. Does nothing if that is under way. */
  follow() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#coming = true;
    void this.#begin();
  }

  /** Stop following the room while it is not shown. */
  rest() {
    this.#wanted = false;
    this.since.value = null;
    this.back.value = null;
    if (this.#events.length > MUCH) this.#events = [];
    this.#leave();
  }

  /** The last events as this tab has them, and what a page before them begins at. */
  get last() {
    const events = this.#events.slice(-PAGE);
    return { events, previous: events.length === this.#events.length ? this.#previous : before(events[0]) };
  }

  /** Read the room again, after a sleep or a change of permissions. */
  renew() {
    if (this.#wanted) void this.#begin();
  }

  async #begin() {
    this.#leave();
    const life = this.#life;
    try {
      const known = this.status.value === "ready"; // what is shown is newer than what this device holds
      const found = await tidings.patiently(() => tidings.get(`/rooms/${this.id}`, !known));
      if (life === this.#life && this.#wanted) this.#open(found);
    } catch (error) {
      if (life === this.#life && !ended(error)) this.#refuse(/** @type {Error} */ (error));
    }
  }

  #leave() {
    this.#life += 1;
    this.#subscription?.close();
    this.#subscription = null;
  }

  /** @param {{room: any, events: Event[], previous: string | null, read: string | null, offset: string, max_file: number}} found */
  #open({ room, events, previous, read, offset, max_file }) {
    const last = this.#events.at(-1)?.offset;
    const joins = last && events[0]?.offset && distance(last, events[0].offset) <= 1 && isRead(offset, last);
    if (joins) this.#hold(events.filter((event) => !isRead(last, /** @type {string} */ (event.offset))));
    else {
      [this.#events, this.#stretch, this.#previous] = [[], new roomOf.Stretch(), previous ?? ""];
      this.begun += 1;
      this.#hold(events);
    }
    for (const run of room.runs) void followRun(run);
    this.maxFile = max_file;
    this.#about = aboutOf(room, session.value?.name ?? "");
    batch(() => {
      this.about.value = this.#about;
      this.#show();
      this.earlier.value = this.#previous ? "some" : "none";
      this.position.value = offset;
      this.read.value = read;
      this.status.value = "ready";
      if (this.since.value === null && this.isUnread(read)) this.since.value = read;
      if (this.#coming) this.visits.value += 1;
    });
    this.#coming = false;
    this.#subscription = subscribe(this.topic, {
      after: offset,
      onEvents: (events) => this.#take(events),
      onReset: () => this.#anew(),
      onError: (error) => this.#refuse(error),
    });
  }

  /** @param {Event[]} events */
  #hold(events) {
    for (const event of events) {
      if (event.offset !== null) this.#events.push(event);
      else if (event.type === "tidings.redacted") this.#forget(event);
    }
    this.#stretch.add(events);
  }

  /** Replace an event whose content was removed by the announcement of that. @param {Event} announced */
  #forget({ type, data }) {
    const at = this.#events.findIndex(({ offset }) => offset === data.offset);
    if (at >= 0) this.#events[at] = { ...this.#events[at], type, data };
  }

  #show() {
    this.above = this.#stretch.above;
    this.items.value = this.#stretch.items;
  }

  /** Drop the events and read the room again, after retention has trimmed it or it was deleted. */
  #anew() {
    this.#events = [];
    this.renew();
  }

  /** @param {Error} error */
  #refuse(error) {
    this.#leave();
    this.status.value = error instanceof Problem && error.status === 404 ? "missing" : "refused";
    this.reason.value = error.message;
  }

  /** @param {Event[]} events */
  #take(events) {
    const kept = events.filter(({ offset, type }) => offset !== null || type === "tidings.redacted");
    this.#hold(kept);
    const before = this.position.value;
    for (const event of events) {
      this.#about = foldAbout(this.#about, event);
      if (event.type === "run.created") void followRun(event.data.run);
    }
    this.#hear(events);
    if (kept.length === 0) return;
    const about = this.#about;
    const position = kept.findLast(({ offset }) => offset !== null)?.offset ?? before;
    soon(() =>
      batch(() => {
        this.about.value = about;
        this.position.value = position;
        this.#show();
        if (document.hidden && this.since.value === null && this.isUnread(before)) this.since.value = before;
      }),
    );
  }

  /** @param {Event[]} events */
  #hear(events) {
    const now = () => Date.now() / 1000;
    const before = this.#typing;
    this.#typing = events.reduce((typing, event) => foldTyping(typing, event, now()), before);
    if (this.#typing === before) return;
    const show = () => {
      const names = typists(this.#typing, now()).filter((name) => name !== session.value?.name);
      if (names.join() !== this.typing.value.join()) this.typing.value = names;
    };
    show();
    setTimeout(show, 5100);
  }

  /** Check if somebody else has posted after an offset. @param {string | null} read */
  isUnread(read) {
    return read !== null && this.newsSince(read) > 0;
  }

  /** The number of messages of others after an offset. @param {string} read */
  newsSince(read) {
    return newsSince(this.#events, read, session.value?.name ?? "");
  }

  /** The time of an event; null if it was not read. @param {string} offset @returns {number | null} */
  timeOf(offset) {
    return this.#events.findLast((event) => event.offset === offset)?.time ?? null;
  }

  /** The message or answer that an offset names, if it was read. @param {string} id */
  get(id) {
    return this.#stretch.get(id);
  }

  /** Read one earlier page. */
  async before() {
    if (this.earlier.value !== "some") return;
    if (await this.#read(PAGE)) this.#show();
  }

  /** @param {number} limit events of the page @returns {Promise<boolean>} false: there is no earlier page */
  #read(limit) {
    this.#page ??= this.#fetch(limit).finally(() => (this.#page = null));
    return this.#page;
  }

  /** @param {number} limit */
  async #fetch(limit) {
    if (!this.#previous) return false;
    this.earlier.value = "reading";
    const life = this.#life;
    try {
      const path = `/topics/${this.topic}/events?before=${this.#previous}&limit=${limit}`;
      const page = await tidings.patiently(() => tidings.request("GET", path));
      if (life !== this.#life) return false;
      this.#events = page.events.concat(this.#events);
      this.#stretch.before(page.events);
      this.#previous = page.events.length > 0 ? (page.previous ?? "") : "";
    } catch (error) {
      if (life !== this.#life) return false;
      if (!ended(error)) this.#previous = "";
    }
    this.earlier.value = this.#previous ? "some" : "none";
    return true;
  }

  /**
   * Read back to a message, until `back` is set to null.
   * @param {string} offset
   * @returns {Promise<number | null>} its index among the items; -1 when it does not exist; null when reading was stopped
   */
  async reach(offset) {
    if (!isRead(this.position.value, offset)) return -1;
    const held = () => isRead(offset, this.#events[0]?.offset ?? "");
    if (!held()) {
      const reached = () => this.#events[0]?.time ?? null;
      this.back.value = reached();
      while (this.back.value !== null && !held() && (await this.#read(FAR))) this.back.value &&= reached();
      const stopped = this.back.value === null;
      this.back.value = null;
      this.#show();
      if (stopped) return null;
    }
    return this.items.value.findLastIndex(
      (item) => item.offset === offset || (item.kind === "answer" && item.posted === offset),
    );
  }
}

/** @type {Map<string, Room>} */
const known = new Map();

/** @param {string} id @returns {Room} */
export function room(id) {
  let found = known.get(id);
  if (!found) known.set(id, (found = new Room(id)));
  return found;
}

/** The rooms that this tab has opened. */
export const opened = () => [...known.values()];
