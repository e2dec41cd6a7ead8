// What the scenes of faults share: a configuration made to order, callers, load, and a look at the
// processes from outside.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, startServer } from "../e2e/weir.mjs";

// -- a configuration: JSON is YAML

// One table of the numbers 1 to 2000; "ann", "bob" and "cat" ask by the tokens t-ann, t-bob, t-cat.
export function configure({ security = {}, roles = { any: {} }, roleOf = {}, kind = "duckdb", weir = {} } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "weir-config-"));
  const put = (name, content) => writeFileSync(join(dir, name), JSON.stringify(content, null, 1));
  const users = ["ann", "bob", "cat"];
  const rolesOf = (user) => [roleOf[user] ?? Object.keys(roles)[0]];
  put("policy.yaml", { default_project: "shop", max_limit: 10000, tables: { "shop.numbers": {} },
    security: { deny_unapproved_join: false, max_join_tables: 16, query_timeout_seconds: 60, ...security } });
  put("auth.yaml", { tokens: Object.fromEntries(users.map((u) => [`t-${u}`, { user_id: u, roles: rolesOf(u) }])) });
  put("enterprise.yaml", { roles, users: Object.fromEntries(users.map((u) => [u, { roles: rolesOf(u) }])) });
  put("schema.yaml", { tables: { "shop.numbers": { columns: [{ name: "n", type: "bigint" }] } } });
  const backend = kind === "duckdb" ? { load: ["data/*.csv"], workers: 2 } : { file: "schema.yaml" };
  put("weir.yaml", { backends: [{ name: "b", kind, ...backend }], ...weir });
  mkdirSync(join(dir, "data"));
  writeFileSync(join(dir, "data/shop.numbers.csv"), ["n", ...Array.from({ length: 2000 }, (_, i) => i + 1)].join("\n") + "\n");
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

const cross = "SELECT count(*) AS n FROM numbers a JOIN numbers b JOIN numbers c WHERE a.n * b.n % 7 = c.n % 7";
export const sql = {
  quick: "SELECT count(*) AS n, sum(n) AS s FROM numbers",
  seconds: `${cross} AND c.n < 100`, // one or two of them
  endless: cross, // much more than any deadline here; the engine hears an interrupt
  // Scalar functions over one huge text, which hear none.
  stubborn: "SELECT " + ["u", "v", "w", "x", "y", "z"].map((c) => `length(repeat('${c}', 400000000))`).join(" + ") + " AS n FROM numbers LIMIT 1",
};
export const quickRows = [[2000, 2001000]];

// -- callers

export const headers = (user) => ({ "Content-Type": "application/json", Authorization: `Bearer t-${user}` });

// A tool call by the shorthand: the bare envelope comes back.
export async function call(server, user, tool, args = {}, signal = undefined) {
  const reply = await fetch(server.url + "/mcp", {
    method: "POST", headers: headers(user), body: JSON.stringify({ tool, arguments: args }), signal });
  assert.equal(reply.status, 200);
  return reply.json();
}

export const query = (server, user, text, signal) => call(server, user, "run_select_sql", { sql: text }, signal);

export async function ready(server) {
  const reply = await fetch(server.url + "/health/ready");
  return { code: reply.status, ...(await reply.json()) };
}

// Callers that ask again and again, each one thing at a time, until stop() or until they are not answered.
export function load(server, callers, ask) {
  const all = { replies: [], lost: 0, isOver: false };
  const caller = async (i) => {
    for (let k = 0; !all.isOver; k++) {
      try { all.replies.push(await ask(server, i, k)); } catch { all.lost++; return; }
    }
  };
  const ended = Promise.all(Array.from({ length: callers }, (_, i) => caller(i)));
  return Object.assign(all, { ended, stop: () => { all.isOver = true; return ended; } });
}

export const mixed = (server, i, k) =>
  (i + k) % 3 === 0 ? query(server, "ann", sql.quick) : call(server, "bob", "describe_table", { table: "numbers" });

export async function waitFor(what, condition, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

// -- processes, from outside

function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch { return undefined; } // it has ended
}

export function children(pid) {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number)
    .filter((child) => { const s = stat(child); return s?.parent === pid && s.state !== "Z"; });
}

export function status(pid) {
  let lines;
  try { lines = readFileSync(`/proc/${pid}/status`, "utf8").split("\n"); } catch { return undefined; }
  return Object.fromEntries(lines.filter(Boolean).map((line) => line.split(/:\s*/, 2)));
}

// Resolves when the server's workers have worked for a tenth of a second more: a query is running.
export function busy(server, workers = 1) {
  const before = new Map(children(server.pid).map((pid) => [pid, stat(pid)?.ticks ?? 0]));
  return () => waitFor("a worker to be busy", () =>
    children(server.pid).filter((pid) => (stat(pid)?.ticks ?? 0) >= (before.get(pid) ?? 0) + 10).length >= workers);
}

// -- the log

export function records(space) {
  const dir = join(space.dir, "logs");
  return readdirSync(dir).filter((name) => name.endsWith(".jsonl")).flatMap((name) => {
    const lines = readFileSync(join(dir, name), "utf8").split("\n");
    lines.pop(); // what stands behind the last newline is no line
    return lines.map((line) => JSON.parse(line));
  });
}

export function verify(config, space) {
  try {
    const text = execFileSync(binary, ["audit", "verify", "--config", config.dir],
      { cwd: space.dir, env: space.env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    return { ok: true, text };
  } catch (error) { return { ok: false, text: error.stdout + error.stderr }; }
}

// Every reply that somebody holds stands in the log, as what it was.
export function assertRecorded(replies, space) {
  const byId = new Map(records(space).map((r) => [r.audit_id, r]));
  for (const reply of replies) {
    const record = byId.get(reply.audit_id);
    if (reply.error?.code === "AUDIT_UNAVAILABLE") {
      assert.equal(record, undefined, "answered that it was not recorded, and it was");
      continue;
    }
    assert.ok(record, `no record of ${reply.audit_id}`);
    assert.equal(record.outcome === "success", reply.ok);
    assert.equal(record.error_code, reply.error?.code ?? null);
  }
}

// Starts, runs the scene, and ends what it started, however the scene ended.
export async function onStage(config, scene, options = {}) {
  const server = await startServer({ config: config.dir, ...options });
  try {
    return await scene(server);
  } finally {
    await server.stop("SIGKILL");
  }
}
