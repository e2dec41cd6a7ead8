// The HTTP+SSE transport of 2024-11-05 (specification 2024-11-05, basic/transports, "HTTP with SSE"),
// spoken by hand: what each MUST of it says, and what a session of it may not be.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "../e2e/weir.mjs";
import { waitFor } from "./player.mjs";

let server;
before(async () => { server = await startServer(); });
after(async () => { assert.deepEqual(await server.stop(), { code: 0, signal: null }); });

const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

// A stream, and the events that have come on it.
async function open({ token = "demo-analyst", path = "/sse" } = {}) {
  const gone = new AbortController();
  const reply = await fetch(server.url + path, {
    headers: { ...bearer(token), Accept: "text/event-stream" }, signal: gone.signal });
  const events = [];
  const stream = { token, reply, events, close: () => gone.abort(), messages: () => events.slice(1).map((e) => JSON.parse(e.data)) };
  (async () => {
    let text = "";
    for await (const piece of reply.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + piece).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const event = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
        if (event.data !== undefined) events.push(event);
      }
    }
  })().catch(() => {});
  await waitFor("the first event", () => events.length > 0);
  return stream;
}

function post(path, message, { token = "demo-analyst", headers = {} } = {}) {
  return fetch(server.url + path, {
    method: "POST", body: typeof message === "string" ? message : JSON.stringify(message),
    headers: { ...bearer(token), "Content-Type": "application/json", ...headers } });
}

// Posts and waits for the answer with that id.
async function ask(stream, message) {
  const reply = await post(stream.events[0].data, message, { token: stream.token });
  assert.equal(reply.status, 202);
  assert.equal(await reply.text(), "Accepted");
  const answer = () => stream.messages().find((m) => m.id === message.id);
  await waitFor(`the answer to ${message.id}`, answer);
  return answer();
}

// "When a client connects, the server MUST send an endpoint event containing a URI for the client to
// use for sending messages."
test("tells where to post before anything else, beside each path of MCP", async () => {
  for (const [path, where] of [["/sse", "/messages"], ["/mcp/sse", "/mcp/messages"]]) {
    const stream = await open({ path });
    assert.equal(stream.reply.status, 200);
    assert.match(stream.reply.headers.get("content-type"), /^text\/event-stream/);
    assert.equal(stream.reply.headers.get("mcp-session-id"), null);
    assert.equal(stream.events[0].event, "endpoint");
    assert.match(stream.events[0].data, new RegExp(`^${where}\\?sessionId=[0-9a-f]{48}$`));
    stream.close();
  }
});

// "All subsequent client messages MUST be sent as HTTP POST requests to this endpoint. Server messages
// are sent as SSE message events."
test("answers on the stream, in the revision that initialize agreed on", async () => {
  const stream = await open();
  const asked = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "a", version: "1" } };
  const hello = await ask(stream, { jsonrpc: "2.0", id: 1, method: "initialize", params: asked });
  assert.equal(hello.result.protocolVersion, "2025-06-18");
  assert.equal((await post(stream.events[0].data, { jsonrpc: "2.0", method: "notifications/initialized" })).status, 202);
  const tools = await ask(stream, { jsonrpc: "2.0", id: 2, method: "tools/list" });
  assert.ok(tools.result.tools[0].outputSchema, "the record of the session was changed");
  const tables = await ask(stream, {
    jsonrpc: "2.0", id: "c", method: "tools/call", params: { name: "list_allowed_tables", arguments: {} } });
  assert.equal(tables.result.structuredContent.ok, true);
  const none = await ask(stream, { jsonrpc: "2.0", id: 3, method: "no/such" });
  assert.equal(none.error.code, -32601);
  assert.ok(stream.events.slice(1).every((e) => e.event === "message"));
  assert.deepEqual(stream.messages().map((m) => m.id), [1, 2, "c", 3]);
  stream.close();
});

test("gives two streams each its own answers", async () => {
  const one = await open(), two = await open({ token: "demo-manager" });
  await ask(one, { ...ping, id: "one" });
  await ask(two, { ...ping, id: "two" });
  assert.deepEqual(one.messages().map((m) => m.id), ["one"]);
  assert.deepEqual(two.messages().map((m) => m.id), ["two"]);
  one.close();
  two.close();
});

test("refuses at the POST what is no message of this session", async () => {
  const stream = await open();
  const here = stream.events[0].data;
  const rows = [
    ["no session", "/messages", ping, {}, 400],
    ["an unknown session", `/messages?sessionId=${"0".repeat(48)}`, ping, {}, 404],
    ["somebody else's", here, ping, { token: "demo-manager" }, 404],
    ["nobody", here, ping, { token: "nobody" }, 401],
    ["no JSON", here, "{", {}, 400],
    ["the shorthand", here, { tool: "list_allowed_tables" }, {}, 400],
    ["no JSON by its type", here, "hello", { headers: { "Content-Type": "text/plain" } }, 415],
    // "Servers MUST validate the Origin header on all incoming connections"
    ["a page of elsewhere", here, ping, { headers: { Origin: "http://evil.example.com" } }, 403],
  ];
  for (const [what, path, message, how, status] of rows) {
    const reply = await post(path, message, how);
    await reply.text();
    assert.equal(reply.status, status, what);
  }
  assert.equal((await fetch(server.url + "/sse", { method: "POST", headers: bearer("demo-analyst"), body: "{}" })).status, 405);
  assert.equal((await fetch(server.url + "/messages", { headers: bearer("demo-analyst") })).status, 405);
  assert.equal((await fetch(server.url + "/sse", { headers: { ...bearer("demo-analyst"), Accept: "application/json" } })).status, 406);
  assert.equal((await fetch(server.url + "/sse", { headers: { Accept: "text/event-stream" } })).status, 401);
  assert.equal(stream.messages().length, 0);
  stream.close();
});

test("is no session of Streamable HTTP, and over with its stream", async () => {
  const stream = await open();
  const here = stream.events[0].data;
  const id = here.split("=")[1];
  assert.equal((await post("/mcp", ping, { headers: { "Mcp-Session-Id": id } })).status, 404);
  const get = await fetch(server.url + "/mcp", {
    headers: { ...bearer("demo-analyst"), Accept: "text/event-stream", "Mcp-Session-Id": id } });
  await get.text();
  assert.equal(get.status, 404);
  await ask(stream, ping);
  stream.close();
  let status = 202;
  for (let tries = 0; status === 202 && tries < 200; tries++) {
    const reply = await post(here, { jsonrpc: "2.0", method: "notifications/initialized" });
    await reply.text();
    status = reply.status;
  }
  assert.equal(status, 404);
});
