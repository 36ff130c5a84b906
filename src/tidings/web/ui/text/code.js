import { element, iconElement } from "./element.js";
import { met } from "./met.js";

/** @type {Record<string, string>} */
const NAMES = {
  bash: "Shell",
  sh: "Shell",
  shell: "Shell",
  console: "Shell",
  zsh: "Shell",
  c: "C",
  cpp: "C++",
  cs: "C#",
  css: "CSS",
  diff: "Diff",
  go: "Go",
  html: "HTML",
  http: "HTTP",
  ini: "INI",
  java: "Java",
  javascript: "JavaScript",
  js: "JavaScript",
  json: "JSON",
  jsx: "JSX",
  kotlin: "Kotlin",
  lua: "Lua",
  make: "Makefile",
  makefile: "Makefile",
  markdown: "Markdown",
  md: "Markdown",
  nginx: "nginx",
  perl: "Perl",
  php: "PHP",
  plaintext: "Text",
  py: "Python",
  python: "Python",
  r: "R",
  rb: "Ruby",
  ruby: "Ruby",
  rs: "Rust",
  rust: "Rust",
  scss: "SCSS",
  sql: "SQL",
  swift: "Swift",
  text: "Text",
  toml: "TOML",
  ts: "TypeScript",
  tsx: "TSX",
  txt: "Text",
  typescript: "TypeScript",
  xml: "XML",
  yaml: "YAML",
  yml: "YAML",
};

/**
 * A code block with its bar. Its buttons have `data-do`; the log handles the buttons of all blocks.
 * @returns {{block: HTMLElement, code: HTMLElement, named: (language: string) => void}} `named` sets the
 *   language
 */
export function codeBlock() {
  const code = element("code");
  const name = element("span", { class: "code-name" }, "Code");
  const bar = element(
    "div",
    { class: "code-bar" },
    name,
    element(
      "button",
      { type: "button", class: "quiet", "data-do": "wrap", "aria-pressed": "false" },
      iconElement("wrap-text"),
      element("span", {}, "Wrap"),
    ),
    element(
      "button",
      { type: "button", class: "quiet", "data-do": "copy" },
      iconElement("copy"),
      element("span", {}, "Copy"),
    ),
  );
  const text = element("pre", { tabindex: "0", role: "region", "aria-label": "Code" }, code);
  const named = (/** @type {string} */ language) => {
    const word = language.trim().split(/\s/, 1)[0].toLowerCase();
    if (!word) return;
    code.dataset.language = word;
    name.textContent = NAMES[word] ?? word;
    text.setAttribute("aria-label", `Code, ${name.textContent}`);
  };
  return { block: element("div", { class: "code", dir: "ltr" }, bar, text), code, named };
}

/** Characters of a block that is highlighted. The grammars take quadratic time: some blocks of 10,000 take a second. */
let longest = 10_000;

/** Milliseconds that a block may take. After a slower block only blocks of at most 2,000 characters are highlighted. */
const LONG = 250;

/** The language whose grammar takes cubic time: 42 s for 20,000 characters of brackets. */
const SLOW = "Markdown";

/** The block that is highlighted now. The others wait, and the page has its turn in between. */
let turn = Promise.resolve();

/** Highlight the syntax of a finished block whose language is known. @param {HTMLElement} code */
export function highlight(code) {
  if (!code.dataset.language || code.firstElementChild) return;
  const work = async () => {
    const library = await met(() => import("highlight.js"));
    await new Promise((resolve) => setTimeout(resolve));
    if (library) colour(code, library.default); // without the library, code is shown without colours
  };
  turn = turn.then(work).catch(() => {});
}

/** @param {HTMLElement} code @param {typeof import("highlight.js").default} hljs */
function colour(code, hljs) {
  const language = code.dataset.language ?? "";
  const text = code.textContent ?? "";
  const grammar = hljs.getLanguage(language);
  if (!grammar || grammar.name === SLOW || text.length > longest || code.firstElementChild) return;
  const began = performance.now();
  const { value } = hljs.highlight(text, { language, ignoreIllegals: true });
  code.replaceChildren(...coloured(value));
  if (performance.now() - began > LONG) longest = 2_000;
}

/** @type {Record<string, string>} */
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

/** Read the library's HTML, which is spans with classes and escaped text, as elements. @param {string} html */
function coloured(html) {
  const root = element("span");
  let here = root;
  for (const [piece, name] of html.matchAll(/<span class="([^"]*)">|<\/span>|&[#\w]+;|[^<&]+/g)) {
    if (name !== undefined) here = here.appendChild(element("span", { class: name }));
    else if (piece === "</span>") here = here.parentElement ?? root;
    else here.append(ENTITIES[piece] ?? piece);
  }
  root.normalize();
  return root.childNodes;
}
