// Bundle the page: write src/tidings/web/bundle, which the server serves in place of the page's modules.
//
//   scripts/bundle
//
// Every file but index.html is named by its content, so that a browser keeps it for ever. made-of.json holds the
// checksum of each source: a server with other sources serves those instead. Files are kept compressed, as they are
// served. copies.json names the source of each file that is one and cannot be compressed, so that no byte is in the
// package twice. Nothing is written while they agree.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, posix, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
const [ROOT = join(HERE, "src/tidings/web"), OUT = join(ROOT, "bundle")] = process.argv
  .slice(2)
  .map((name) => resolve(name));

/** The kinds of files that tidings/web/site.py reads. */
const KINDS = [".css", ".html", ".js", ".mjs", ".svg", ".txt", ".woff2"];

/** Files that are compressed already. */
const PACKED = ".woff2";

/** Workers of the page, the libraries that they load, and style sheets that are fetched when they are needed. */
const WORKERS = ["ui/processes/layout-worker.js"];
const OF_WORKERS = ["vendor/dagre.mjs"];
const SHEETS = ["ui/processes/map.css", "ui/processes/details.css"];

/** The indent of a line of a template, before a tag, an attribute or a hole. htm leaves such space out. */
const INDENT = /\n +(?=[<$}>/]|[\w-]+=)/g;

const sources = Object.fromEntries(
  readdirSync(ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && KINDS.includes(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(OUT))
    .map((path) => path.slice(ROOT.length + 1).replaceAll("\\", "/"))
    .sort()
    .map((name) => [name, checksum(readFileSync(join(ROOT, name)))]),
);
const list = `${JSON.stringify(sources, null, 1)}\n`;

/**
 * A checksum of 64 bits, which says that a source has changed. A wheel has one for each source.
 * @param {Uint8Array} contents
 */
function checksum(contents) {
  return createHash("sha256").update(contents).digest("hex").slice(0, 16);
}

/** Check if the bundle is the one of these sources. */
function current() {
  try {
    return readFileSync(join(OUT, "made-of.json"), "utf8") === list;
  } catch {
    return false;
  }
}

if (!current()) await bundle();

async function bundle() {
  const { build } = await import("esbuild");
  const page = readFileSync(join(ROOT, "index.html"), "utf8");
  const map = /<script type="importmap">(.*?)<\/script>/s.exec(page)?.[1] ?? "";
  const { imports } = JSON.parse(map.replaceAll("{base}", ROOT.replaceAll("\\", "/")));
  const styles = [...page.matchAll(/<link rel="stylesheet" href="{base}\/([^"]+)" \/>\n? */g)];

  /** The name in the bundle of each source that has a file of its own. @type {Record<string, string>} */
  const names = {};
  /** @type {{path: string, contents: Uint8Array}[]} */
  const files = [];
  /** @param {import("esbuild").BuildOptions} options */
  const make = async (options) => {
    const made = await build({
      absWorkingDir: ROOT,
      outdir: OUT,
      bundle: true,
      write: false,
      metafile: true,
      minify: true,
      legalComments: "none", // the licences are whole in a file beside
      format: "esm",
      target: "es2022",
      entryNames: "[name]-[hash]",
      chunkNames: "[name]-[hash]",
      assetNames: "[name]-[hash]",
      logLevel: "warning",
      ...options,
    });
    files.push(...made.outputFiles);
    for (const [path, { entryPoint }] of Object.entries(made.metafile.outputs))
      if (entryPoint) names[entryPoint] = posix.basename(path);
    return made.metafile.outputs;
  };

  const texts = Object.keys(sources)
    .filter((name) => name.startsWith("vendor/licenses/"))
    .map((name) => `${posix.basename(name, ".txt")}\n\n${readFileSync(join(ROOT, name), "utf8")}`);
  const contents = Buffer.from(texts.join("\n\n"));
  const licences = `licenses-${checksum(contents).slice(0, 8)}.txt`;
  files.push({ path: licences, contents });
  const copied = ["icons.svg", "favicon.svg"];
  await make({ entryPoints: copied, loader: { ".svg": "copy" }, bundle: false });
  await make({ entryPoints: ["client/worker.js"] });
  // Style sheets that are loaded when they are met.
  const late = ["vendor/katex.css", "ui/alerts/alerts.css"];
  await make({ entryPoints: late, external: ["*.woff", "*.ttf"], loader: { ".woff2": "file" } });
  const style = styles.map(([, name]) => `@import "./${name}";`).join("\n");
  const sheet = { contents: style, loader: /** @type {const} */ ("css"), resolveDir: ROOT, sourcefile: "style.css" };
  await make({ stdin: sheet, entryNames: "style-[hash]" });

  // A library that is loaded when it is met is a file of its own, so that its name stays when other modules change.
  const libraries = [...met(imports).map((path) => path.slice(ROOT.length + 1)), ...OF_WORKERS];
  await make({ entryPoints: libraries, loader: { ".mjs": "copy" }, bundle: false });
  await make({ entryPoints: SHEETS });

  /**
   * Modules name libraries by the page's import map, and files by `new URL("…", import.meta.url)`. Put the names of the
   * bundle in.
   */
  const named = {
    name: "named",
    setup(/** @type {import("esbuild").PluginBuild} */ build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        if (!imports[path]) return undefined;
        if (kind !== "dynamic-import") return { path: imports[path] };
        return { path: `./${names[imports[path].slice(ROOT.length + 1)]}`, external: true };
      });
      build.onLoad({ filter: /\/(ui|client)\/.*\.js$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8")
          .replace(INDENT, "\n")
          .replace(/new URL\("(\..*?)", import\.meta\.url\)/g, (_, relative) => {
            const name = names[posix.join(posix.dirname(path.slice(ROOT.length + 1)), relative)];
            if (!name) throw new Error(`${path}: the bundle has no ${relative}`);
            return `new URL("./${name}", import.meta.url)`;
          }),
      }));
    },
  };
  await make({ entryPoints: WORKERS, plugins: [named] });
  const banner = { js: `/* The licences of the libraries in here are beside this file: ${licences} */` };
  const outputs = await make({ entryPoints: ["ui/main.js"], splitting: true, plugins: [named], banner });

  const main = names["ui/main.js"];
  const chunks = preloaded(outputs, main).map((name) => `<link rel="modulepreload" href="{base}/${name}" />`);
  const sprite = readFileSync(join(ROOT, "icons.svg"), "utf8").trim();
  const icons = sprite
    .replace("<svg ", '<svg id="icons" class="visually-hidden" aria-hidden="true" ')
    .replaceAll("\n", "");
  const html = page
    .replace(/<script type="importmap">.*?<\/script>\n */s, "")
    .replace(
      styles.map(([link]) => link).join(""),
      `<link rel="stylesheet" href="{base}/${names["style.css"]}" />\n    `,
    )
    .replace('<div id="app">', `${icons}\n    <div id="app">`)
    .replaceAll("{base}/icons.svg#", "#")
    // The service worker holds what the page names, so that all of the page can be used without a network.
    .replace("</title>", `</title>\n    <meta name="later" content="{base}/${names["ui/later.js"]}" />`)
    .replace("{preloads}", chunks.join("\n    "))
    .replaceAll(/{base}\/([\w./-]+)/g, (whole, name) => (names[name] ? `{base}/${names[name]}` : whole));
  files.push({ path: "index.html", contents: Buffer.from(html) });
  write(files);
}

/** The libraries that modules of the page import dynamically. @param {Record<string, string>} imports */
function met(imports) {
  const modules = Object.keys(sources).filter((name) => name.startsWith("ui/") && name.endsWith(".js"));
  const texts = modules.map((name) => readFileSync(join(ROOT, name), "utf8")).join("\n");
  // An import inside a JSDoc type is followed by a name.
  const found = [...texts.matchAll(/\bimport\("([^"]+)"\)(?!\.\w)/g)].map(([, name]) => name);
  return [...new Set(found)].flatMap((name) => imports[name] ?? []);
}

/**
 * The modules that a module imports at its start, and theirs, so that a browser asks for all of them at once.
 * @param {import("esbuild").Metafile["outputs"]} outputs
 * @param {string} entry
 */
function preloaded(outputs, entry) {
  const byName = new Map(Object.entries(outputs).map(([path, output]) => [posix.basename(path), output]));
  const found = new Set([entry]);
  for (const name of found)
    for (const { path, kind } of byName.get(name)?.imports ?? [])
      if (kind === "import-statement") found.add(posix.basename(path));
  return [...found].slice(1);
}

/** Write the files beside each other, and put the folder in place at the end. @param {{path: string, contents: Uint8Array}[]} files */
function write(files) {
  const made = `${OUT}.${process.pid}`;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  const copies = {};
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  for (const { path, contents } of files) {
    const to = join(made, posix.basename(path.replaceAll("\\", "/")));
    const source = Object.keys(sources).find((name) => sources[name] === checksum(contents));
    if (extname(to) === ".html") writeFileSync(to, contents);
    else if (extname(to) !== PACKED) {
      writeFileSync(`${to}.gz`, gzipSync(contents, { level: 9 }));
      writeFileSync(`${to}.br`, brotliCompressSync(contents, quality));
    } else if (source) copies[posix.basename(to)] = source;
    else throw new Error(`${to} is no copy of a source`);
  }
  writeFileSync(join(made, "copies.json"), `${JSON.stringify(copies, null, 1)}\n`);
  writeFileSync(join(made, "made-of.json"), list);
  rmSync(OUT, { recursive: true, force: true });
  renameSync(made, OUT);
}
