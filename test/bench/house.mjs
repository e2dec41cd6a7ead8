// What the benches share: the demo with a token of its own, a server over it, and what it costs.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");
export const binary = join(root, "build/weir");
export const work = mkdtempSync(join(tmpdir(), "weir-bench-"));
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
export const rpc = (method, params) => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
export const rss = (pid) => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

// The demo with a token of its own and without a rate limit: everything else on as it ships.
export function makeConfig() {
  const config = join(work, "config");
  cpSync(join(root, "config/demo"), config, { recursive: true });
  const hash = createHash("sha256").update("demo-bench").digest("hex");
  writeFileSync(join(config, "auth.yaml"), `tokens:\n  "sha256:${hash}":\n    user_id: bench\n    roles: [bench]\n`);
  writeFileSync(join(config, "enterprise.yaml"),
    "roles:\n  bench:\n    name: bench\n    allowed_tools: ['*']\n    allowed_domains: ['*']\n");
  const policy = readFileSync(join(config, "policy.yaml"), "utf8")
    .replace("security: {", "security: {max_concurrent_queries_per_user: 1000, ");
  writeFileSync(join(config, "policy.yaml"), policy);
  return config;
}

export function wrk(url, file, { vary, seconds }) {
  const args = ["-t2", "-c32", `-d${seconds}s`, "--latency", url];
  if (file) args.splice(3, 0, "-s", join(root, "test/bench/post.lua"));
  const text = execFileSync("wrk", args, {
    encoding: "utf8", env: { ...process.env, BODY: file ?? "", VARY: vary ? "1" : "0" }, stdio: ["ignore", "pipe", "inherit"] });
  return { rate: Number(/Requests\/sec:\s*([\d.]+)/.exec(text)[1]), p99: /99%\s+(\S+)/.exec(text)[1],
    errors: /Non-2xx[^\n]*|Socket errors[^\n]*/.exec(text)?.[0] };
}

// From exec to the first answer 200 of /health, with a client that does nothing but try.
export function firstHealth(port, began) {
  return new Promise((done) => {
    const attempt = () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("connect", () => socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
      socket.on("data", (data) => {
        if (!String(data).startsWith("HTTP/1.1 200")) throw new Error(String(data));
        done(Number(process.hrtime.bigint() - began) / 1e6);
        socket.destroy();
      });
      socket.on("error", () => setImmediate(attempt));
    };
    attempt();
  });
}

export function startWeir(config, port) {
  return spawn(binary, ["serve", "--config", config, "--port", String(port)], {
    cwd: work, stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, LOGS_DIRECTORY: join(work, "logs"), STATE_DIRECTORY: join(work, "state") } });
}

export async function stop(child) {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await gone;
}

