// test/bench/streams.mjs - idle listeners: what they cost, how soon they are told, what they leave behind
//
// 10,000 streams that are told of one change at once, then 5,000 idle ones beside tools/list. Both ends hold
// a descriptor a stream: `ulimit -n` must be 10,500 (script/bench raises it where the hard limit lets it).
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { loadavg } from "node:os";
import { join } from "node:path";
import { firstHealth, makeConfig, median, rpc, rss, startWeir, stop, work, wrk } from "./house.mjs";

const port = 21082, idle = 5000, all = 10000, wave = 100, others = 500;
const seconds = Number(process.env.BENCH_SECONDS ?? 4);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const aims = { toldMs: 2000, leftMb: 5, streamKb: 1 };

const body = rpc("subscriptions/listen", {
  notifications: { toolsListChanged: true },
  _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} } });
const request = [
  "POST /mcp HTTP/1.1", "Host: localhost", "Authorization: Bearer demo-bench", "Content-Type: application/json",
  "Accept: application/json, text/event-stream", "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: subscriptions/listen",
  `Content-Length: ${Buffer.byteLength(body)}`, "", body].join("\r\n");

// Resolves when it is acknowledged; then `told` is called at each change.
class Stream {
  constructor() {
    this.tail = "";
    this.told = () => {};
    this.opened = new Promise((done, failed) => {
      this.socket = connect(port, "127.0.0.1", () => this.socket.write(request));
      this.socket.on("data", (data) => {
        this.tail += data.toString("latin1");
        if (this.tail.includes("subscriptions/acknowledged")) done(this);
        else if (!this.tail.startsWith("HTTP/1.1 200")) failed(new Error(this.tail));
        if (this.tail.includes("notifications/tools/list_changed")) this.told();
        this.tail = this.tail.slice(-80);
      });
      this.socket.on("error", failed);
    });
  }
}

async function open(n) {
  const streams = [];
  while (streams.length < n)
    streams.push(...await Promise.all(Array.from({ length: Math.min(wave, n - streams.length) }, () => new Stream().opened)));
  return streams;
}

async function close(streams, pid, descriptors) {
  for (const { socket } of streams) socket.destroy();
  for (let i = 0; i < 300 && count(pid) > descriptors; i++) await sleep(100);
}

const count = (pid) => readdirSync(`/proc/${pid}/fd`).length;

function tellAll(streams, pid) {
  const began = performance.now();
  const told = streams.map((stream) => new Promise((done) => { stream.told = () => done(performance.now() - began); }));
  process.kill(pid, "SIGHUP");
  const missing = sleep(60000).then(() => { throw new Error("after a minute some have not been told"); });
  return Promise.race([Promise.all(told), missing]);
}

function say(what, value, aim, holds) {
  console.log(`${what.padEnd(52)}${value.padStart(12)}  aim ${aim}${holds ? "" : "  MISSED"}`);
}

async function idleStreams(pid, descriptors, list) {
  const rate = () => {
    const { rate, errors } = wrk(`http://127.0.0.1:${port}/mcp`, list, { seconds });
    if (errors) throw new Error(errors);
    return rate;
  };
  rate(); // warm
  await sleep(500);
  const alone = [], beside = []; // rates
  for (let round = 0; round < rounds; round++) {
    alone.push(rate());
    const streams = await open(idle);
    await sleep(500);
    beside.push(rate());
    await close(streams, pid, descriptors);
  }
  const ratio = median(beside.map((rate, round) => rate / alone[round]));
  say("tools/list beside them and alone, per second", `${median(beside).toFixed(0)}/${median(alone).toFixed(0)}`, "the same", ratio > 0.9);
  console.log(`${"their ratio, round by round, median".padEnd(52)}${ratio.toFixed(3).padStart(12)}`);
}

async function manyStreams(pid, descriptors, start) {
  const opening = performance.now();
  const streams = await open(all);
  console.log(`${`${all} streams opened in`.padEnd(52)}${`${(performance.now() - opening).toFixed(0)} ms`.padStart(12)}`);
  const withAll = rss(pid), each = (withAll - start) * 1024 / all; // of a server that held none before
  say("memory of one of them", `${each.toFixed(2)} KB`, `< ${aims.streamKb} KB`, each < aims.streamKb);
  const times = await tellAll(streams, pid);
  const last = Math.max(...times);
  say(`a change told to all ${all}, the last one after`, `${last.toFixed(0)} ms`, `≤ ${aims.toldMs} ms`, last <= aims.toldMs);
  await close(streams, pid, descriptors);
  await sleep(1000);
  const left = rss(pid) - start;
  console.log(`${"memory: start, with all, after".padEnd(52)}${[start, withAll, rss(pid)].map((m) => m.toFixed(1)).join(", ")} MB`);
  say("memory left behind", `${left.toFixed(1)} MB`, `≤ ${aims.leftMb} MB`, left <= aims.leftMb);
  say("descriptors of the server: start, after", `${descriptors}, ${count(pid)}`, "equal", count(pid) === descriptors);
}

async function main() {
  const limit = Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).replace("unlimited", "Infinity"));
  if (limit < all + others) throw new Error(`${all} streams need ${all + others} descriptors at each end: ulimit -n is ${limit}`);
  mkdirSync(join(work, "tmp"));
  const config = makeConfig();
  appendFileSync(join(config, "weir.yaml"), `\nhttp:\n  max_connections: ${all + others - 100}\n`);
  const list = join(work, "tools_list");
  writeFileSync(list, rpc("tools/list", {}));
  const weir = startWeir(config, port);
  try {
    await firstHealth(port, process.hrtime.bigint());
    wrk(`http://127.0.0.1:${port}/mcp`, list, { seconds: 1 });
    const few = await open(wave); // the first change opens what later ones find open
    await tellAll(few, weir.pid);
    for (const { socket } of few) socket.destroy();
    await sleep(1500);
    const descriptors = count(weir.pid), start = rss(weir.pid);
    console.log(`load of the machine: ${loadavg()[0].toFixed(1)}`);
    await manyStreams(weir.pid, descriptors, start);
    await idleStreams(weir.pid, descriptors, list);
  } finally {
    await stop(weir);
  }
}

try { await main(); } finally { rmSync(work, { recursive: true, force: true }); }
