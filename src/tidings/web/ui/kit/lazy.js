import { signal } from "@preact/signals";
import { met } from "../text/met.js";
import { html } from "./html.js";

/** A module of the page that is loaded when the first of its components is drawn. */
export class Part {
  /** @type {import("@preact/signals").Signal<any>} */
  #module = signal(null);
  /** @type {Promise<void> | null} */
  #loading = null;
  #from;

  /** @param {() => Promise<any>} from imports the module */
  constructor(from) {
    this.#from = from;
  }

  /** Import the module from elsewhere: the folder that has it lies above. @param {() => Promise<any>} from */
  loadFrom(from) {
    this.#from = from;
  }

  /** The module; null until it has come. */
  get now() {
    return this.#module.value;
  }

  /** Load the module now. */
  async load() {
    if (this.#module.value) return;
    this.#loading ??= met(this.#from).then((module) => {
      this.#module.value = module;
      this.#loading = null;
    });
    await this.#loading;
  }

  /** Make a component of the module. Nothing is drawn until the module has come. @param {string} name */
  lazy(name) {
    return (/** @type {any} */ props) => {
      if (this.now) return html`<${this.now[name]} ...${props} />`;
      void this.load();
      return null;
    };
  }
}

/** The module with the parts that the first page does without. */
const later = new Part(async () => null);

/** @param {() => Promise<any>} from imports the module */
export const loadLaterFrom = (from) => later.loadFrom(from);

/** Load the module now, since the person has begun to use the page. */
export const loadLater = () => later.load();

/** A function of that module; undefined until the module has come. @param {string} name @returns {any} */
export function late(name) {
  void later.load();
  return later.now?.[name];
}

/** Call a function of that module, once the module has come. @param {string} name @param {readonly any[]} given */
export async function callLate(name, ...given) {
  await later.load();
  later.now?.[name](...given);
}

/** Make a component of that module that waits until something else has loaded it. @param {string} name */
export const waiting = (name) => () => later.now && html`<${later.now[name]} />`;

/** Make a component of that module. @param {string} name */
export const lazy = (name) => later.lazy(name);
