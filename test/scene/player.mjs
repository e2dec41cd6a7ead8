// Plays a .scene file; see README.md for its lines.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, readFileSync, writeFileSync, mkdtempSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { binary, root, startServer, workspace } from "../e2e/weir.mjs";

// "data.rows.0.1" → the value there, or undefined.
function at(value, path) {
  return path.split(".").reduce((v, key) => (v == null ? undefined : v[key]), value);
}

// Cuts `count` words off the front; what is left is the last element.
function words(text, count) {
  const parts = [];
  for (let i = 0; i < count; i++) {
    const cut = /^(\S+)\s*/.exec(text) ?? [text, text];
    parts.push(cut[1]);
    text = text.slice(cut[0].length);
  }
  return [...parts, text];
}

export async function waitFor(what, condition, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

class Stage {
  last = undefined;
  id = 0;

  async server(name) {
    const from = existsSync(join(root, "test/scene/config", name))
      ? join(root, "test/scene/config", name) : join(root, "config", name);
    this.config = mkdtempSync(join(tmpdir(), "weir-config-"));
    cpSync(from, this.config, { recursive: true });
    this.running = await startServer({ config: this.config });
  }

  async http(text) {
    const [method, path, rest] = words(text, 2);
    const split = rest.startsWith("{") ? rest.indexOf("}") + 1 : 0;
    const headers = split > 0 ? JSON.parse(rest.slice(0, split)) : {};
    const body = rest.slice(split).trim();
    const reply = await fetch(this.running.url + path, { method, headers, body: body || undefined });
    const content = await reply.text();
    let json;
    try { json = JSON.parse(content); } catch { json = undefined; }
    this.last = { status: reply.status, headers: Object.fromEntries(reply.headers), body: content, json };
  }

  async post(token, message) {
    const reply = await fetch(this.running.url + "/mcp", {
      method: "POST", body: JSON.stringify(message),
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` } });
    return reply.json();
  }

  async rpc(text) {
    const [token, method, params] = words(text, 2);
    this.last = await this.post(token, {
      jsonrpc: "2.0", id: ++this.id, method, params: params ? JSON.parse(params) : undefined });
  }

  async agent(text) {
    const [token, name, args] = words(text, 2);
    const answer = await this.post(token, {
      jsonrpc: "2.0", id: ++this.id, method: "tools/call",
      params: { name, arguments: args ? JSON.parse(args) : {} } });
    assert.ok(answer.result, JSON.stringify(answer));
    this.last = JSON.parse(answer.result.content[0].text);
    assert.equal(answer.result.isError, !this.last.ok);
  }

  stdio(token) {
    this.space = workspace();
    const args = ["serve", "--config", join(root, "config/demo"), "--transport", "stdio"];
    this.child = spawn(binary, args, { cwd: this.space.dir, env: { ...this.space.env, WEIR_TOKEN: token }, stdio: ["pipe", "pipe", "ignore"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async say(text) {
    this.child.stdin.write(text + "\n");
    this.last = JSON.parse((await this.lines.next()).value);
  }

  logFile() {
    return join((this.running?.space ?? this.space).dir, "logs/audit.jsonl");
  }

  log() {
    return readFileSync(this.logFile(), "utf8").trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  expect(text) {
    const [path, value] = words(text, 1);
    assert.deepEqual(at(this.last, path), JSON.parse(value), `${path} of ${JSON.stringify(this.last)}`);
  }

  match(text) {
    const [path, regex] = words(text, 1);
    const value = at(this.last, path);
    assert.match(typeof value === "string" ? value : String(JSON.stringify(value)), new RegExp(regex, "u"));
  }

  record(text) {
    const [path, value] = words(text, 1);
    assert.deepEqual(at(this.log().at(-1), path), JSON.parse(value), path);
  }

  records(count) {
    assert.equal(this.log().length, Number(count));
    const space = (this.running?.space ?? this.space);
    const said = execFileSync(binary, ["audit", "verify", "--config", this.config ?? join(root, "config/demo")],
      { cwd: space.dir, env: space.env, encoding: "utf8" });
    assert.match(said, /^ok: /);
  }

  replace(text) {
    const [file, rest] = words(text, 1);
    const [from, to] = rest.split(" => ");
    const path = join(this.config, file);
    const before = readFileSync(path, "utf8");
    assert.ok(before.includes(from), `${file} has no '${from}'`);
    writeFileSync(path, before.replaceAll(from, to));
  }

  async signal(event) {
    const count = () => this.running.log().split(`"event":"${event}"`).length;
    const before = count();
    process.kill(this.running.pid, "SIGHUP");
    await waitFor(event, () => count() > before);
  }

  reload() { return this.signal("reloaded"); }
  "reload-fails"() { return this.signal("reload_failed"); }

  async end() {
    if (this.child) {
      const gone = new Promise((done) => this.child.once("exit", (code) => done(code)));
      this.child.stdin.end();
      assert.equal(await gone, 0);
      this.space.remove();
    }
    if (this.running) assert.deepEqual(await this.running.stop(), { code: 0, signal: null });
    if (this.config) rmSync(this.config, { recursive: true, force: true });
  }
}

export async function play(file) {
  const stage = new Stage();
  const lines = readFileSync(file, "utf8").split("\n");
  try {
    for (const [i, line] of lines.entries()) {
      if (!line.trim() || line.startsWith("#")) continue;
      const [verb, rest] = words(line.trim(), 1);
      assert.equal(typeof stage[verb], "function", `${file}:${i + 1}: no such line: ${verb}`);
      try { await stage[verb](rest); } catch (error) {
        error.message = `${file}:${i + 1}: ${line.trim()}\n${error.message}`;
        throw error;
      }
    }
  } finally {
    await stage.end();
  }
}
