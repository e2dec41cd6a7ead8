// make bench: nginx and Weir on the same box in one run, with wrk. Prints rates, and their ratios to
// nginx's static file of 70 bytes; noise hits both alike, so the ratio is what to look at.
import { spawn, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, firstHealth, makeConfig, median, root, rpc, rss, startWeir, stop, work, wrk } from "./house.mjs";

const seconds = Number(process.env.BENCH_SECONDS ?? 4);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const nginxPort = 21080, weirPort = 21081;

const tool = (name, args) => rpc("tools/call", { name, arguments: args });
const oneRow = (where) => tool("run_select_sql", {
  sql: `SELECT standard_name, list_price FROM saky_dw_cdm.dim_pub_product_df WHERE pt = '20260505' AND ${where} LIMIT 1` });
const bodies = {
  "tools/list": { body: rpc("tools/list", {}), aim: "ratio ≥ 0.50" },
  "describe_table": { body: tool("describe_table", { table: "dim_pub_product_df" }), aim: "ratio ≥ 0.40" },
  "1-row SQL, repeated": { body: oneRow("item_code = 'P0001'"), aim: "≥ 4,000/s" },
  "1-row SQL, new literal": { body: oneRow("item_code <> 'x@N@'"), vary: true, aim: "≥ 1,200/s" },
};

async function startTimes(config) {
  const times = [];
  for (let i = 0; i < 11; i++) {
    const began = process.hrtime.bigint();
    const child = startWeir(config, weirPort);
    times.push(await firstHealth(weirPort, began));
    await stop(child);
  }
  return times.slice(1); // the first one loads the warehouse
}

function children(pid) {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((name) => {
    try { return Number(/PPid:\s*(\d+)/.exec(readFileSync(`/proc/${name}/status`, "utf8"))[1]) === pid; } catch { return false; }
  });
}

async function thousandCalls(weir) {
  for (let i = 0; i < 250; i++) {
    await Promise.all(Object.values(bodies).map(({ body }) => fetch(`http://127.0.0.1:${weirPort}/mcp`, {
      method: "POST", body: body.replace("@N@", i), headers: { Authorization: "Bearer demo-bench", "Content-Type": "application/json" },
    }).then((reply) => reply.arrayBuffer())));
  }
  return rss(weir.pid);
}

// The audit log tells what DuckDB itself took, and that what was measured were answers: a benchmark of
// refusals would be fast.
function engineTimes() {
  const log = join(work, "logs/audit.jsonl");
  const sh = (command) => execFileSync("sh", ["-c", command, "sh", log], { encoding: "utf8", maxBuffer: 1 << 28 });
  const wrong = Number(sh(`grep -vc '"outcome":"success"' "$1" || true`));
  if (wrong > 0) throw new Error(`${wrong} calls were no success: ` + sh(`grep -v '"outcome":"success"' "$1" | head -1`));
  const lines = sh(`grep run_select_sql "$1" | tail -50000`).trim().split("\n");
  const of = (text) => lines.filter((l) => l.includes(text)).map((l) => JSON.parse(l).engine_us).filter((t) => t >= 0);
  return { repeated: of("item_code = 'P0001'"), fresh: of("item_code <> 'x") };
}

async function main() {
  chmodSync(work, 0o755); // nginx's workers are nobody
  mkdirSync(join(work, "tmp"));
  writeFileSync(join(work, "index.json"), JSON.stringify({ status: "ok", note: "x".repeat(44) }) .padEnd(70));
  writeFileSync(join(work, "nginx.conf"), readFileSync(join(root, "test/bench/nginx.conf"), "utf8").replace("@PORT@", nginxPort));
  const config = makeConfig();
  console.log("start: exec to the first /health 200 …");
  const starts = await startTimes(config);
  const nginx = spawn("nginx", ["-p", work, "-c", "nginx.conf"], { stdio: "ignore" });
  const weir = startWeir(config, weirPort);
  await firstHealth(weirPort, process.hrtime.bigint());
  const memory = await thousandCalls(weir);
  const workers = children(weir.pid).map(rss);
  const results = { nginx: [] };
  for (const [name, { body }] of Object.entries(bodies)) {
    results[name] = [];
    writeFileSync(join(work, name.replace(/\W/g, "_")), body);
  }
  for (let round = 1; round <= rounds; round++) {
    console.log(`round ${round} of ${rounds} …`);
    results.nginx.push(wrk(`http://127.0.0.1:${nginxPort}/index.json`, undefined, { seconds }));
    for (const [name, { vary }] of Object.entries(bodies)) {
      results[name].push(wrk(`http://127.0.0.1:${weirPort}/mcp`, join(work, name.replace(/\W/g, "_")), { vary, seconds }));
    }
  }
  await stop(weir);
  await stop(nginx);
  const base = median(results.nginx.map((r) => r.rate));
  console.log(`\n${"".padEnd(24)}${"per second".padStart(12)}${"ratio".padStart(8)}${"p99".padStart(10)}  aim`);
  for (const [name, runs] of Object.entries(results)) {
    const rate = median(runs.map((r) => r.rate));
    console.log(`${name.padEnd(24)}${rate.toFixed(0).padStart(12)}${(rate / base).toFixed(3).padStart(8)}${runs[0].p99.padStart(10)}  ${bodies[name]?.aim ?? "static file, 70 bytes"}`);
    for (const { errors } of runs) if (errors) console.log(`  ${errors}`);
  }
  const engine = engineTimes();
  console.log(`\nDuckDB's own time, median: ${median(engine.repeated)} µs repeated, ${median(engine.fresh)} µs with a new literal`);
  console.log(`start, median of ${starts.length}: ${median(starts).toFixed(1)} ms (aim < 20)`);
  console.log(`memory of the main process after 1,000 calls: ${memory.toFixed(1)} MB (aim < 20); ${workers.length} workers: ${workers.map((w) => w.toFixed(0)).join(", ")} MB`);
  console.log(`binary: ${(statSync(binary).size / 1e6).toFixed(1)} MB (aim < 10)`);
}

try { await main(); } finally { rmSync(work, { recursive: true, force: true }); }
