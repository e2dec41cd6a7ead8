// A real Redis for scenes: on a port and in a directory of its own, ended by its process id.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = "/usr/bin/redis-server";
export const noRedis = existsSync(program) ? false : "redis-server is not installed";

let nextPort = 30000 + (process.pid % 2500); // below the range that the kernel hands out

// What it answers to one line, or undefined where nobody listens.
function ask(port, line) {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("connect", () => socket.write(`${line}\r\n`));
    socket.on("data", (bytes) => { done(String(bytes)); socket.destroy(); });
    socket.on("error", () => done(undefined));
    socket.on("close", () => done(undefined));
  });
}

// Keeps what it is told over a kill (everysec would not, where a sync is under way); `extra` are more words
// of its command line.
export async function startRedis({ extra = [] } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "weir-redis-"));
  let child;
  const redis = {
    port: 0,
    get url() { return `redis://127.0.0.1:${redis.port}/2`; },
    tell: (line) => ask(redis.port, line),
    // On the same port and directory again; false where that port is somebody else's.
    async start() {
      child = spawn(program, ["--port", String(redis.port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
        "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning", ...extra], { stdio: "ignore" });
      let isOver = false;
      child.once("exit", () => { isOver = true; });
      while (!isOver) {
        if ((await redis.tell("PING"))?.startsWith("+PONG")) return true;
        await new Promise((done) => setTimeout(done, 5));
      }
      return false;
    },
    async stop(signal = "SIGKILL") {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((done) => child.once("exit", done));
      child.kill(signal);
      await gone;
    },
    async remove() {
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  process.on("exit", () => child.kill("SIGKILL"));
  for (let tries = 0; tries < 50; tries++) {
    redis.port = nextPort++;
    if (await redis.tell("PING") === undefined && await redis.start()) return redis;
  }
  throw new Error("no port was free for redis-server");
}
