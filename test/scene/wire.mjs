// MCP byte for byte, for scenes in which the official clients would be too kind: event streams that are
// held, dropped and taken up again, sessions, modern envelopes, and the lines of stdio.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import { createInterface } from "node:readline";
import { binary, workspace } from "../e2e/weir.mjs";

const both = "application/json, text/event-stream";

function parseEvent(text) {
  const event = { id: undefined, data: "" };
  for (const line of text.split("\n")) {
    const cut = /^(id|event|data|retry): ?(.*)$/.exec(line);
    if (cut) event[cut[1]] = cut[2];
  }
  if (event.data && event.event !== "endpoint") event.json = JSON.parse(event.data);
  return event;
}

// What came back: status and headers at once, events as they come, `ended` when nothing more will.
class Reply {
  constructor(request, response) {
    Object.assign(this, { request, status: response.statusCode, headers: response.headers, body: "", events: [], waiting: [], isOver: false });
    this.isStream = /^text\/event-stream/.test(this.headers["content-type"] ?? "");
    this.ended = new Promise((done) => {
      response.on("close", () => { this.isOver = true; this.wake(); done(this); });
      response.on("error", () => {});
    });
    response.setEncoding("utf8").on("data", (text) => this.take(text));
  }

  take(text) {
    this.body += text;
    for (let end; this.isStream && (end = this.body.indexOf("\n\n")) >= 0; this.body = this.body.slice(end + 2)) {
      const event = this.body.slice(0, end);
      if (!event.startsWith(":")) this.events.push(parseEvent(event));
    }
    this.wake();
  }

  wake() { for (const look of this.waiting.splice(0)) look(); }

  // The first event that is so; undefined when the stream ended without one.
  async event(isIt) {
    for (;;) {
      const found = this.events.find(isIt);
      if (found || this.isOver) return found;
      await new Promise((look) => this.waiting.push(look));
    }
  }

  get lastId() { return this.events.findLast((e) => e.id)?.id; }
  get json() { return this.body ? JSON.parse(this.body) : undefined; }
  // All responses to that request, by whatever way.
  answers(id) {
    const messages = this.isStream ? this.events.map((e) => e.json) : [this.body ? this.json : undefined].flat();
    return messages.filter((m) => m?.id === id && ("result" in m || "error" in m));
  }
  leave() { this.request.destroy(); }
}

// `user` asks by the token t-USER (faults.mjs); undefined: nobody. Rejects when no answer begins.
export function open(server, user, { method = "POST", path = "/mcp", headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const request = http.request(server.url + path, { method, agent: false, headers: {
      Accept: method === "GET" ? "text/event-stream" : both,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(user ? { Authorization: `Bearer t-${user}` } : {}), ...headers } });
    request.on("response", (response) => done(new Reply(request, response)));
    request.on("error", failed);
    request.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  });
}

// The whole of it.
export async function ask(server, user, options) {
  return (await open(server, user, options)).ended;
}

export const request = (id, method, params) => ({ jsonrpc: "2.0", id, method, ...(params ? { params } : {}) });
export const notice = (method, params) => ({ jsonrpc: "2.0", method, ...(params ? { params } : {}) });
export const select = (sql) => ({ name: "run_select_sql", arguments: { sql } });

// -- the legacy era

// A session's id as headers.
export async function session(server, user, version = "2025-11-25", capabilities = {}) {
  const reply = await ask(server, user, { body: request(0, "initialize",
    { protocolVersion: version, capabilities, clientInfo: { name: "wire", version: "1" } }) });
  assert.equal(reply.status, 200, reply.body);
  assert.equal(reply.json.result.protocolVersion, version);
  return { "Mcp-Session-Id": reply.headers["mcp-session-id"] };
}

// -- the modern era

export const claim = (capabilities = {}) => ({ _meta: {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": capabilities } });

export function modern(id, method, params = {}, capabilities = {}) {
  const name = params.name ?? params.uri ?? params.taskId;
  return {
    headers: { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, ...(name ? { "Mcp-Name": name } : {}) },
    body: request(id, method, { ...params, ...claim(capabilities) }),
  };
}

// -- stdio

export class Pipe {
  constructor(config, token, program = binary) {
    this.space = workspace();
    this.child = spawn(program, ["serve", "--config", config.dir, "--transport", "stdio"],
      { cwd: this.space.dir, env: { ...this.space.env, WEIR_TOKEN: token }, stdio: ["pipe", "pipe", "ignore"] });
    this.gone = new Promise((done) => this.child.once("exit", (code, by) => done({ code, signal: by })));
    Object.assign(this, { messages: [], waiting: [] });
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.messages.push(JSON.parse(line));
      for (const look of this.waiting.splice(0)) look();
    });
  }

  say(message) { this.child.stdin.write(JSON.stringify(message) + "\n"); }

  // The first message that is so.
  async hear(isIt) {
    for (;;) {
      const found = this.messages.find(isIt);
      if (found) return found;
      await new Promise((look) => this.waiting.push(look));
    }
  }

  answer(id) { return this.hear((m) => m.id === id && !m.method); }
  ask(message) { this.say(message); return this.answer(message.id); }

  // Closes its input and waits for its end.
  async close() {
    this.child.stdin.end();
    const how = await this.gone;
    return how;
  }

  async end() {
    this.child.kill("SIGKILL");
    await this.gone;
    this.space.remove();
  }
}
