/** A server in a process of its own, for tests in Node. It goes with this process. */
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PYTHON = process.env.PYTHON ?? `${ROOT}/.venv/bin/python`;
export const SECRET = "a secret of the tests, which is at least 32 bytes long";

/** @type {import("node:child_process").ChildProcess[]} */
const running = [];
process.on("exit", () => stopServers());

export function stopServers() {
  for (const child of running.splice(0)) child.kill("SIGKILL");
}

/**
 * `tidings serve`.
 * @param {Record<string, string>} [env]
 * @returns {Promise<string>} its address, without a slash at the end
 */
export async function serve(env = {}) {
  const store = `sqlite:///${mkdtempSync(`${tmpdir()}/tidings-`)}/test.db`;
  const child = spawn(PYTHON, ["-m", "tidings", "serve", "--port", "0", "--store", store], {
    cwd: ROOT,
    env: { ...process.env, PYTHONUNBUFFERED: "1", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    if (found) return found[0];
  }
  throw new Error("the server did not start");
}

/**
 * @param {number} seconds for which it is good from now on
 * @param {string[]} [topics] that it allows
 */
export function token(seconds, topics = ["*"]) {
  const claims = { sub: "ada", exp: Date.now() / 1000 + seconds, publish: topics, subscribe: topics };
  const encoded = [{ alg: "HS256", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const signature = createHmac("sha256", SECRET).update(encoded.join(".")).digest("base64url");
  return [...encoded, signature].join(".");
}
