// Starts the real program on the demo, in a directory of its own, and ends it by its process id.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");
export const binary = resolve(process.env.WEIR ?? join(root, "build/weir"));
// weir with tools that ask, notify and become tasks (test/conformance); the step gcc builds it.
export const fixture = resolve(process.env.WEIR_FIXTURE ?? join(root, "build-gcc/test/conformance/weir-conformance"));
export const noFixture = existsSync(fixture) ? false : `${fixture} has not been built`;

export const python = join(root, "build-testkit/venv/bin/python");

// Why a test of that client is skipped, or false: of a package of npm, of a module of Python.
export function noPackage(name) {
  return existsSync(join(root, "node_modules", name)) ? false : `npm could not fetch ${name} with the test kit`;
}
export function noModule(name) {
  const lib = join(root, "build-testkit/venv/lib");
  const has = existsSync(lib) && readdirSync(lib).some((version) => existsSync(join(lib, version, "site-packages", name)));
  return has ? false : `pip could not fetch ${name} with the test kit`;
}

// Below the range that the kernel hands out, apart from those of other test programs.
let nextPort = 20000 + (process.pid % 10000);

export function workspace() {
  const dir = mkdtempSync(join(tmpdir(), "weir-"));
  return {
    dir,
    env: { ...process.env, LOGS_DIRECTORY: join(dir, "logs"), STATE_DIRECTORY: join(dir, "state") },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

// Servers end with their test, also with one that took too long and is ended by its runner.
const running = new Set();
process.on("exit", () => { for (const child of running) child.kill("SIGKILL"); });
process.once("SIGTERM", () => process.exit(1));

// Resolves when the server says that it listens; a port that is taken is left for the next one.
async function startOnce(program, space, port, args) {
  const child = spawn(program, ["serve", "--port", String(port), ...args], {
    cwd: space.dir, env: space.env, stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  let log = "";
  const outcome = await new Promise((done) => {
    child.once("exit", (code) => done({ code }));
    child.stderr.on("data", (bytes) => {
      log += bytes;
      if (log.includes('"event":"listening"')) done({ listening: true });
    });
  });
  return { child, outcome, log: () => log };
}

// `space` may be given, for servers that share one or follow one another: then who gave it removes it.
export async function startServer({ config = join(root, "config/demo"), args = [], space: given, program = binary } = {}) {
  const space = given ?? workspace();
  for (let tries = 0; tries < 20; tries++) {
    const port = nextPort++;
    const { child, outcome, log } = await startOnce(program, space, port, ["--config", config, ...args]);
    if (outcome.listening) {
      return {
        url: `http://127.0.0.1:${port}`, pid: child.pid, child, log, space,
        async stop(signal = "SIGTERM") {
          const gone = new Promise((done) => child.once("exit", (code, by) => done({ code, signal: by })));
          if (child.exitCode !== null || child.signalCode !== null) return { code: child.exitCode, signal: child.signalCode };
          child.kill(signal);
          const how = await gone;
          if (!given) space.remove();
          return how;
        },
      };
    }
    if (!log().includes("Address already in use")) {
      throw new Error(`weir did not start: ${log()}`);
    }
  }
  throw new Error("no port was free");
}

export const byRegion =
  "SELECT region_code, count(*) AS n FROM saky_dw_ods.ods_sap_delivery_order_details_df " +
  "WHERE pt = '20260505' GROUP BY region_code ORDER BY region_code LIMIT 20";
