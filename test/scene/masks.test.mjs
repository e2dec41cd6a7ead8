// Masks through the program's own doors: rows hold what the masks make, and neither the salt of hashes nor a value
// that is masked stands in any reply, record, log or answer of the command line – not when the engine fails, either.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { binary, startServer, workspace } from "../e2e/weir.mjs";
import { headers, records } from "./faults.mjs";

const salt = "Vq3xLm8TzR1kWd6yHs0bJn5cFg9pAe2uXo7i";
const people = [
  { id: 1, phone: "138-0571-2264", card: "6222021001119175", born: "1984-02-29", name: "Annelise", note: "hip replaced" },
  { id: 2, phone: "139-0755-8813", card: "6228480402564890", born: "1990-07-01", name: "Bertrand", note: "owes 7,310" },
];
const masks = { phone: "hash", card: "partial", born: "year", name: "concat(substr(name, 1, 1), '**')", note: "null" };
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const made = sha256("weir mask salt 1:" + salt); // what statements hold of it (policy/load.c)
const hash = (value) => sha256(made + value);
const masked = [
  [1, hash("138-0571-2264"), "622****9175", 1984, "A**", null],
  [2, hash("139-0755-8813"), "622****4890", 1990, "B**", null],
];

// What nobody may be told: the values, and any piece of the salt (engines quote a part of a line).
const pieces = (text, size) => Array.from({ length: text.length - size + 1 }, (_, i) => text.slice(i, i + size));
const values = people.flatMap((row) => Object.keys(masks).map((column) => row[column]));
const secrets = [...values, ...pieces(salt, 6), ...pieces(made, 12)]; // shorter hex stands in random ids, too

function assertUntold(what, text) {
  assert.ok(text.length > 0, `${what} is empty`);
  for (const secret of secrets) assert.ok(!text.includes(secret), `${what} tells '${secret}': ${text}`);
}

const sql = {
  all: "SELECT id, phone, card, born, name, note FROM people ORDER BY id LIMIT 10",
  found: `SELECT id FROM people WHERE phone = '${hash("139-0755-8813")}'`,
  asHidden: "SELECT count(*) AS n FROM people WHERE length(phone) < 64 OR length(name) > 3 OR note IS NOT NULL",
  denied: "SELECT phone, nowhere FROM people",
  unsaid: "SELECT phone, soundex(phone) AS s FROM people",
};
// Each is understood, and fails in DuckDB, which quotes the values of its input and the line it was given.
const failing = {
  cast: "SELECT cast(phone AS bigint) AS n FROM people",
  castOfAll: "SELECT phone, card, name, cast(concat(phone, card, name) AS bigint) AS n FROM people",
  early: "SELECT 1 AS a FROM people WHERE cast(phone AS double) > 0",
  pattern: "SELECT regexp_extract(phone, '(', 1) AS p FROM people",
  twoRows: "SELECT phone, (SELECT phone FROM people) AS p FROM people",
};

// JSON is YAML. The salt stands in the file, or in the environment alone.
function configure(settings) {
  const dir = mkdtempSync(join(tmpdir(), "weir-config-"));
  const put = (name, content) => writeFileSync(join(dir, name), JSON.stringify(content, null, 1));
  put("weir.yaml", { ...settings, backends: [{ name: "b", kind: "duckdb", load: ["data/*.csv"], workers: 1 }] });
  put("policy.yaml", { default_project: "shop", max_limit: 100, tables: { "shop.people": { masks } } });
  put("auth.yaml", { tokens: { "t-ann": { user_id: "ann", roles: ["any"] } } });
  put("enterprise.yaml", { roles: { any: {} }, users: { ann: { roles: ["any"] } } });
  mkdirSync(join(dir, "data"));
  const lines = [Object.keys(people[0]), ...people.map((row) => Object.values(row).map((value) => `"${value}"`))];
  writeFileSync(join(dir, "data/shop.people.csv"), lines.map((line) => line.join(",")).join("\n") + "\n");
  return dir;
}

// The bytes of the answer, and what they say.
async function ask(server, tool, args) {
  const reply = await fetch(server.url + "/mcp",
    { method: "POST", headers: headers("ann"), body: JSON.stringify({ tool, arguments: args }) });
  const text = await reply.text();
  assertUntold(`the reply to ${JSON.stringify(args)}`, text);
  return JSON.parse(text);
}
const query = (server, text) => ask(server, "run_select_sql", { sql: text });

async function askAll(server) {
  assert.deepEqual((await query(server, sql.all)).data.rows, masked);
  assert.deepEqual((await query(server, sql.found)).data.rows, [[2]]);
  assert.deepEqual((await query(server, sql.asHidden)).data.rows, [[0]]);
  assert.equal((await query(server, sql.denied)).error.code, "COLUMN_NOT_ALLOWED");
  assert.equal((await query(server, sql.unsaid)).error.code, "DIALECT_UNSUPPORTED");
  assert.deepEqual((await ask(server, "preview_table", { table: "people", limit: 2 })).data.rows.length, 2);
  assert.ok((await ask(server, "describe_table", { table: "people" })).ok);
  for (const text of Object.values(failing)) {
    const { error } = await query(server, text);
    assert.equal(error?.code, "BACKEND_ERROR", text);
    assert.equal(error.message, "the engine could not run the query");
  }
}

function assertRecords(space) {
  const kept = records(space);
  for (const record of kept) assertUntold("the record", JSON.stringify(record));
  const of = (text) => kept.find((record) => record.sql_asked === text);
  assert.match(of(sql.all).sql_run, /sha256\(\('\$\{mask\.salt\}' \|\| "t"\."phone"\)\)/);
  for (const text of Object.values(failing)) {
    assert.ok(of(text).engine_error, text);
    assert.doesNotMatch(of(text).engine_error, /sha256\(\('[^*]/);
  }
  // DuckDB showed the line that it was given up to within the salt; stars stand there.
  assert.match(of(failing.cast).engine_error, /^Conversion Error: .*sha256\(\('\*+/s);
}

function assertCommandLine(space, config) {
  const input = [...Object.values(sql), ...Object.values(failing)].map((text, id) => JSON.stringify({ id, sql: text })).join("\n");
  for (const verb of ["check", "lineage", "run"]) {
    const run = spawnSync(binary, ["sql", verb, "--config", config, "--jsonl"],
      { cwd: space.dir, env: space.env, input, encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    assertUntold(`weir sql ${verb}`, run.stdout + run.stderr);
    if (verb === "check") assert.match(run.stdout, /\$\{mask\.salt\}/);
  }
}

for (const [where, settings, env] of [
  ["in weir.yaml", { masks: { salt } }, {}],
  ["in the environment", {}, { WEIR_MASK_SALT: salt }],
]) {
  test(`masks with the salt ${where}: told to nobody`, async () => {
    const config = configure(settings);
    const space = workspace();
    Object.assign(space.env, env);
    const server = await startServer({ config, space });
    try {
      await askAll(server);
      assertRecords(space);
      assertCommandLine(space, config);
    } finally {
      await server.stop();
      assertUntold("the log", server.log());
      space.remove();
      rmSync(config, { recursive: true, force: true });
    }
  });
}
