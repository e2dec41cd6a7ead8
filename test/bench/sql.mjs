// test/bench/sql.mjs - the parser and the guard, beside sqlglot in the same run
//
// One thread, process CPU time, medians; ratios against sqlglot's parse and its optimizer's qualify,
// which resolves names and does not rewrite, enforce or print. Where PyPI cannot be reached it says so.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const bench = join(root, "build/test/bench/sql-bench");
const venv = join(root, "build-testkit/venv");
const aims = { parse: 100000, guard: 50000, megabytes: 35, ratio: 40, longMs: 100 };

const rows = (text) => text.trim().split("\n").map((line) => line.split("\t"));
const run = (...args) => execFileSync(bench, args, { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] });

function reference() {
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", join(root, "test/bench/requirements.txt")];
  if (!existsSync(venv) && spawnSync("python3", ["-m", "venv", venv]).status !== 0) return new Map();
  const python = join(venv, "bin/python");
  if (spawnSync(python, pip, { timeout: 120000 }).status !== 0) {
    console.log("PyPI could not be reached: nothing stands beside");
    return new Map();
  }
  const listed = run("list");
  const measured = rows(execFileSync(python, [join(root, "test/bench/sql_reference.py")], { input: listed, encoding: "utf8" }));
  console.log(`beside it: ${measured.shift()[1]}, read="hive"`);
  return new Map(measured.map((row) => [`${row[0]} ${row[1]}`, row]));
}

// Statements of several sets, as one: a rate is n over the sum of times.
function together(list) {
  const n = list.reduce((sum, row) => sum + Number(row[4]), 0);
  return n / list.reduce((sum, row) => sum + Number(row[4]) / Number(row[2]), 0);
}

function line(name, way, rate, megabytes, theirs, tail = "") {
  const ratio = theirs ? (rate / theirs).toFixed(0) : "-";
  console.log(`${name.padEnd(10)}${way.padEnd(18)}${rate.toFixed(0).padStart(12)}${String(megabytes).padStart(9)}` +
    `${(theirs ? theirs.toFixed(0) : "-").padStart(11)}${ratio.padStart(8)}  ${tail}`);
}

const ours = rows(run("run"));
const theirs = reference();
console.log(`\n${"".padEnd(28)}${"per second".padStart(12)}${"MB/s".padStart(9)}${"sqlglot".padStart(11)}${"ratio".padStart(8)}`);
for (const [name, way, rate, megabytes, n, passed] of ours) {
  const guard = way !== "parse";
  const beside = theirs.get(`${name} ${guard ? "qualify" : "parse"}`);
  line(name, guard ? `guard, ${way}` : "parse", Number(rate), megabytes, beside && Number(beside[2]),
    `${passed} of ${n} pass` + (name === "accept" ? `; aim ${aims.parse}, ${aims.megabytes} MB/s` : ""));
}
for (const way of ["maxcompute", "duckdb"]) {
  const qualified = [...theirs.values()].filter((row) => row[1] === "qualify");
  line("all three", `guard, ${way}`, together(ours.filter((row) => row[1] === way)), "",
    qualified.length > 0 ? together(qualified) : undefined, `aim ${aims.guard}, ratio ${aims.ratio}`);
}

console.log(`\nlong statements: each below ${aims.longMs} ms or refused at once`);
console.log(`${"".padEnd(28)}${"bytes".padStart(9)}${"parse ms".padStart(10)}${"guard ms".padStart(10)}`);
for (const [name, bytes, parse, guard, outcome] of rows(run("long"))) {
  console.log(`${name.padEnd(28)}${bytes.padStart(9)}${parse.padStart(10)}${guard.padStart(10)}  ${outcome}` +
    (Number(guard) > aims.longMs ? "  TOO SLOW" : ""));
}
