// The published SQL corpus through the program's own door: `weir sql … --jsonl`. Prints a score for each
// file; a score may rise, never fall, and of the attacks nothing may pass that must be refused.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { binary, root, workspace } from "../e2e/weir.mjs";

const corpus = join(root, "../shared/corpus/sql");
const skip = existsSync(corpus) ? false : `${corpus} is not there`;

// What was reached: the next change may not lose any of it.
const floors = { accept: 150, reject: 60, attack: 60, lineage: 30, exec: 40 };

const space = skip ? undefined : workspace();
after(() => space?.remove());

const readJson = (name) => JSON.parse(readFileSync(join(corpus, name), "utf8"));
const readLines = (name) => readFileSync(join(corpus, name), "utf8").trim().split("\n").map((line) => JSON.parse(line));

// A configuration in a directory of its own. JSON is YAML.
function configure(name, files) {
  const dir = join(space.dir, name);
  mkdirSync(dir, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(dir, file), JSON.stringify(content, null, 1));
  return dir;
}

// Asks all entries in one run; every one must be answered, in order.
function ask(verb, entries, args = []) {
  const input = entries.map(({ id, sql, sql_b64 }) => JSON.stringify({ id, sql, sql_b64 })).join("\n");
  const run = spawnSync(binary, ["sql", verb, ...args, "--jsonl"],
    { cwd: space.dir, env: space.env, input, encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, run.stderr);
  const answers = run.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(answers.map((a) => a.id), entries.map((e) => e.id));
  return answers;
}

function tell(t, name, wrong, total) {
  for (const line of wrong.slice(0, 20)) t.diagnostic(`${name}: ${line}`);
  t.diagnostic(`score ${name} ${total - wrong.length}/${total}`);
  assert.ok(total - wrong.length >= floors[name], `${name} fell below ${floors[name]}:\n${wrong.join("\n")}`);
}

test("accept: every SELECT of the wild parses", { skip }, (t) => {
  const entries = readLines("accept.jsonl");
  const wrong = ask("parse", entries).filter((a) => !a.ok || a.statement !== "select");
  tell(t, "accept", wrong.map((a) => `${a.id} ${a.statement} ${a.error?.message}`), entries.length);
});

test("reject: nothing else does, and what is wrong is told with its place", { skip }, (t) => {
  const entries = readLines("reject.jsonl");
  const wrong = ask("parse", entries).filter((a) => a.ok || !a.error?.code || !a.error?.message);
  tell(t, "reject", wrong.map((a) => `${a.id} ${a.statement}`), entries.length);
});

// -- attacks

function attackConfig() {
  const schema = readJson("attack-schema.json");
  const fields = (c) => (c.denied_fields ?? []).map((f) => `${c.name}.${f}`);
  const policyOf = (t) => ({
    denied_columns: t.columns.flatMap((c) => (c.denied ? [c.name] : fields(c))),
    row_policies: t.row_filter ? [{ role: "*", predicate: t.row_filter }] : [],
  });
  const limits = schema.policy;
  return configure("attack", {
    "weir.yaml": { backends: [{ name: "paper", kind: "schema", file: "schema.yaml" }] },
    "schema.yaml": { tables: Object.fromEntries(schema.tables.map((t) => [t.name,
      { columns: t.columns.map(({ name, type, partition }) => ({ name, type, partition: Boolean(partition) })) }])) },
    "policy.yaml": {
      default_project: schema.default_project, default_limit: 100, max_limit: limits.max_rows,
      tables: Object.fromEntries(schema.tables.filter((t) => t.allowed).map((t) => [t.name, policyOf(t)])),
      security: { select_star: "expand", deny_unapproved_join: false, max_join_tables: 16,
        functions: { deny: limits.functions.denied }, max_sql_bytes: limits.max_sql_bytes, max_nesting: limits.max_nesting,
        max_in_list: limits.max_in_list, max_select_items: limits.max_select_items, max_ctes: limits.max_ctes },
    },
  });
}

// "users.phone" of the corpus is sales.default.users.phone here.
function names(full, forbidden) {
  const parts = forbidden.toLowerCase().split(".");
  const tail = full.split(".");
  return full === forbidden.toLowerCase() || (parts.length <= tail.length && tail.slice(-parts.length).join(".") === parts.join("."));
}

function wrongWithRewrite(entry, a) {
  const read = [...a.columns, ...a.tables];
  const leak = (entry.forbidden ?? []).find((f) => read.some((name) => names(name, f)));
  if (leak) return `reads ${leak}`;
  if (!(a.limit >= 1 && a.limit <= 1000)) return `limit ${a.limit}`;
  const filters = { orders: /region`? = 'cn'/g, users: /city`? (?:<>|!=) 'secret'/g };
  const wanted = {};
  for (const table of entry.must_filter ?? []) {
    const short = table.split(".").at(-1);
    wanted[short] = (wanted[short] ?? 0) + 1;
  }
  for (const [table, scans] of Object.entries(wanted)) {
    const seen = a.sql.match(filters[table])?.length ?? 0;
    if (seen < scans) return `${table}: ${seen} filters for ${scans} scans`;
  }
  return undefined;
}

test("attack: nothing passes that must be refused", { skip }, (t) => {
  const entries = readLines("attack.jsonl");
  const answers = ask("check", entries, ["--config", attackConfig()]);
  const passed = [], wrong = [];
  for (const [i, a] of answers.entries()) {
    const e = entries[i];
    const fine = [e.expect, ...[e.also_ok ?? []].flat()];
    const is = a.decision === "allow" ? "rewrite" : "refused";
    const mayPass = fine.includes("rewrite"), mayRefuse = fine.includes("deny") || fine.includes("error");
    const how = `${e.id} (${e.category}: ${e.why}) ${a.decision} ${a.code ?? ""} ${a.sql ?? ""}`;
    if (is === "rewrite" && !mayPass) passed.push(how);
    const slip = is === "rewrite" ? wrongWithRewrite(e, a) : undefined;
    if (slip) passed.push(`${slip}: ${how}`);
    if ((is === "rewrite" && !mayPass) || slip || (is === "refused" && !mayRefuse)) wrong.push(how);
    assert.ok(["allow", "deny", "error"].includes(a.decision), how);
    if (is === "refused") assert.ok(a.code && a.message, how);
  }
  assert.deepEqual(passed, []);
  tell(t, "attack", wrong, entries.length);
});

// -- lineage

// The lists hold names only; where the attacks' schema knows a column, its type is taken from there.
function typesOf(set) {
  const types = new Map();
  if (set === "shop")
    for (const t of readJson("attack-schema.json").tables.filter((t) => t.name.startsWith("sales.default.")))
      for (const c of t.columns) types.set(`${t.name.split(".")[2]}.${c.name}`, c.type);
  return types;
}

// The one that the statements of this set name.
const projectOf = (set) => (set === "pyodps" ? "mocked_project" : "p");

function lineageConfig(name, tables) {
  const full = (table) => `${projectOf(name)}.default.${table}`;
  const types = typesOf(name);
  return configure(`lineage-${name}`, {
    "weir.yaml": { backends: [{ name: "paper", kind: "schema", file: "schema.yaml" }] },
    "schema.yaml": { tables: Object.fromEntries(Object.entries(tables).map(([table, columns]) =>
      [full(table), { columns: columns.map((c) => ({ name: c, type: types.get(`${table}.${c}`) ?? "string" })) }])) },
    "policy.yaml": { default_project: projectOf(name), max_limit: 10000,
      tables: Object.fromEntries(Object.keys(tables).map((table) => [full(table), {}])),
      security: { select_star: "expand", deny_unapproved_join: false, max_join_tables: 64, table_reference_required: false } },
  });
}

const short = (name) => name.replace(/^(p|mocked_project)\.default\./, "");
const sorted = (list) => [...new Set(list.map(short))].sort();

function wrongWithLineage(e, a) {
  if (!["allow", "deny"].includes(a.decision) || a.decision === "deny") return `${a.decision} ${a.code} ${a.message}`;
  const same = (what, got, want) => {
    const g = JSON.stringify(got), w = JSON.stringify(want);
    return g === w ? undefined : `${what} ${g} is not ${w}`;
  };
  const clauses = new Set([...Object.keys(a.access), ...Object.keys(e.access)]);
  const slips = [same("tables", sorted(a.tables), sorted(e.tables)), same("columns", sorted(a.columns), sorted(e.all))];
  for (const c of clauses) slips.push(same(c, sorted(a.access[c] ?? []), sorted(e.access[c] ?? [])));
  if (e.output) slips.push(same("output", a.output.map(([n, from]) => [n, sorted(from)]), e.output.map(([n, from]) => [n, sorted(from)])));
  return slips.find(Boolean);
}

test("lineage: which columns a statement reads, by clause", { skip }, (t) => {
  const entries = readLines("lineage.jsonl");
  const wrong = [];
  for (const [name, tables] of Object.entries(readJson("lineage-schemas.json").schemas)) {
    const mine = entries.filter((e) => e.schema === name);
    if (mine.length === 0) continue;
    const answers = ask("lineage", mine, ["--config", lineageConfig(name, tables)]);
    for (const [i, a] of answers.entries()) {
      const slip = wrongWithLineage(mine[i], a);
      if (slip) wrong.push(`${a.id} ${slip}`);
    }
  }
  tell(t, "lineage", wrong, entries.length);
});

// -- execution

function execConfig() {
  const tables = readJson("exec-data/schema.json").tables;
  const dir = configure("exec", {
    "weir.yaml": { backends: [{ name: "duck", kind: "duckdb", load: ["data/*.csv"] }] },
    "policy.yaml": { default_project: "p", default_limit: 10000, max_limit: 10000,
      tables: Object.fromEntries(tables.map((table) => [`p.default.${table.name}`, {}])),
      security: { select_star: "expand", deny_unapproved_join: false, max_join_tables: 64, table_reference_required: false } },
  });
  mkdirSync(join(dir, "data"));
  for (const file of readdirSync(join(corpus, "exec-data"))) copyFileSync(join(corpus, "exec-data", file), join(dir, "data", file));
  return dir;
}

// Numbers to a relative 1e-9; integers that JSON cannot hold are strings on both sides.
function sameValue(got, want) {
  if (typeof got === "number" && typeof want === "number")
    return got === want || Math.abs(got - want) <= 1e-9 * Math.max(Math.abs(got), Math.abs(want));
  if (Array.isArray(got) && Array.isArray(want)) return got.length === want.length && got.every((v, i) => sameValue(v, want[i]));
  if (got !== null && want !== null && typeof got === "object" && typeof want === "object") {
    const keys = Object.keys(want);
    return Object.keys(got).length === keys.length && keys.every((k) => k in got && sameValue(got[k], want[k]));
  }
  return got === want;
}

function sameRows(got, want, ordered) {
  if (got.length !== want.length) return false;
  if (ordered) return want.every((row, i) => sameValue(got[i], row));
  const left = [...got];
  return want.every((row) => {
    const at = left.findIndex((other) => sameValue(other, row));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function wrongWithRows(e, a) {
  if (a.decision !== "allow") return `${a.decision} ${a.code} ${a.message}`;
  const columns = a.columns.map((c) => [c.name, c.type]);
  if (JSON.stringify(columns) !== JSON.stringify(e.columns)) return `columns ${JSON.stringify(columns)} are not ${JSON.stringify(e.columns)}`;
  if (!sameRows(a.rows, e.rows, e.ordered)) return `rows ${JSON.stringify(a.rows)} are not ${JSON.stringify(e.rows)}`;
  return undefined;
}

test("exec: the rows that MaxCompute would give", { skip }, (t) => {
  const entries = readLines("exec.jsonl");
  const answers = ask("run", entries, ["--config", execConfig()]);
  const wrong = answers.map((a, i) => [entries[i], wrongWithRows(entries[i], a)]).filter(([, slip]) => slip);
  tell(t, "exec", wrong.map(([e, slip]) => `${e.id} ${slip} [${e.sql}]`), entries.length);
});
