/** Servers and proxies in processes of their own, for tests in Node. Each goes with this process. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PYTHON = process.env.PYTHON ?? `${ROOT}/.venv/bin/python`;

/** @type {import("node:child_process").ChildProcess[]} */
const running = [];
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
// How the test runner ends a file that takes too long. It waits for as long as a child holds the file's standard error.
process.on("SIGTERM", () => process.exit(143));

/** End all that this file has started. */
export function stopAll() {
  for (const child of running.splice(0)) child.kill("SIGKILL");
}

/** @param {string[]} args of Python */
function python(...args) {
  const child = spawn(PYTHON, args, { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  running.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** @returns {Promise<string>} the next line it prints */
  const line = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`it has gone: ${args.join(" ")}`);
    return value;
  };
  return { child, line };
}

/** tests/web/app.py. @returns {Promise<string>} its address, without a slash at the end */
export async function startApp() {
  return python("-m", "tests.web.app").line();
}

/**
 * tests/proxy.py, whose commands `tell` takes.
 * @param {string} to the address of the server
 */
export async function startProxy(to) {
  const { child, line } = python("-m", "tests.proxy", "--to", new URL(to).port);
  const url = `http://127.0.0.1:${await line()}`;
  let last = Promise.resolve("");
  /** @param {string} command @returns {Promise<string>} its answer: it is in force */
  const tell = (command) => {
    last = last.then(async () => {
      child.stdin.write(`${command}\n`);
      const answer = await line();
      if (answer.startsWith("error")) throw new Error(answer);
      return answer;
    });
    return last;
  };
  return { url, tell, count: async () => Number(await tell("count")) };
}
