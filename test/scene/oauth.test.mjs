// The duties of an OAuth resource server, each with the sentence it comes from (MCP 2025-11-25, Basic,
// Authorization; RFC 9728; RFC 6750). Who gives tokens is not asked here: the tokens are auth.yaml's.
import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root, startServer } from "../e2e/weir.mjs";

const wellKnown = "/.well-known/oauth-protected-resource";
const auth = `
auth:
  resource_name: Weir of the test
  authorization_servers: [https://login.example.com]
  scopes_supported: [warehouse:read]
  tool_scopes:
    "run_*": warehouse:query
    run_select_sql: [warehouse:read, warehouse:query]
`;
const tokens = `
  narrow-token: {user_id: ann, roles: [data_analyst], scopes: ["warehouse:read"]}
  starry-token: {user_id: ann, roles: [data_analyst], scopes: ["*"]}
  wide-token: {user_id: ann, roles: [data_analyst], scopes: ["warehouse:query", "warehouse:read"]}
`;

let config, server, plain;
before(async () => {
  config = mkdtempSync(join(tmpdir(), "weir-oauth-"));
  cpSync(join(root, "config/demo"), config, { recursive: true });
  appendFileSync(join(config, "weir.yaml"), auth);
  appendFileSync(join(config, "auth.yaml"), tokens);
  server = await startServer({ config });
  plain = await startServer();
});
after(async () => {
  for (const one of [server, plain]) assert.deepEqual(await one.stop(), { code: 0, signal: null });
  rmSync(config, { recursive: true, force: true });
});

async function ask(path, { from = server, method = "GET", token, headers = {}, body } = {}) {
  const reply = await fetch(from.url + path, {
    method, body: body === undefined ? undefined : JSON.stringify(body),
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body ? { "Content-Type": "application/json" } : {}), ...headers } });
  const text = await reply.text();
  let json;
  try { json = JSON.parse(text); } catch { json = undefined; }
  return { status: reply.status, type: reply.headers.get("content-type"), challenge: reply.headers.get("www-authenticate"), headers: reply.headers, text, json };
}

const rpc = (method, params, id = 1) => ({ jsonrpc: "2.0", id, method, params });
const select = { name: "run_select_sql", arguments: { sql: "SELECT count(*) AS n FROM saky_dw_cdm.dim_pub_date" } };
const list = { name: "list_allowed_tables", arguments: {} };

// "MCP servers MUST implement OAuth 2.0 Protected Resource Metadata (RFC9728)", "the document ... MUST
// include the authorization_servers field containing at least one authorization server"
test("tells everybody who gives tokens for it, at each well-known path", async () => {
  for (const [path, at] of [["", "/mcp"], ["/mcp", "/mcp"], ["/mcp/v1", "/mcp/v1"]]) {
    const reply = await ask(wellKnown + path, { headers: { Origin: "http://anywhere.example.com" } });
    assert.equal(reply.status, 200, path);
    assert.equal(reply.type, "application/json");
    assert.equal(reply.headers.get("access-control-allow-origin"), "*");
    assert.deepEqual(reply.json, {
      resource: server.url + at, authorization_servers: ["https://login.example.com"],
      scopes_supported: ["warehouse:read"], bearer_methods_supported: ["header"], resource_name: "Weir of the test" });
  }
  assert.equal((await ask(wellKnown + "/elsewhere")).status, 404);
  assert.equal((await ask(wellKnown + "/mcp", { method: "OPTIONS", headers: { Origin: "http://anywhere.example.com" } })).status, 204);
});

test("has nothing to tell without an authorization server", async () => {
  assert.equal((await ask(wellKnown, { from: plain })).status, 404);
  assert.equal((await ask(wellKnown + "/mcp", { from: plain })).status, 404);
  assert.equal((await ask("/mcp", { from: plain, method: "POST", body: rpc("ping") })).challenge, 'Bearer realm="weir"');
});

// "MCP servers MUST use the HTTP header WWW-Authenticate when returning a 401 Unauthorized to indicate
// the location of the resource server metadata URL", "SHOULD include a scope parameter"
test("points to its metadata where a token is missing", async () => {
  const rows = [["/mcp", "/mcp"], ["/mcp/v1", "/mcp/v1"], ["/", "/mcp"]];
  for (const [path, at] of rows) {
    const reply = await ask(path, { method: "POST", body: rpc("ping") });
    assert.equal(reply.status, 401);
    assert.equal(reply.challenge, `Bearer realm="weir", resource_metadata="${server.url}${wellKnown}${at}", scope="warehouse:read"`);
    assert.equal((await ask(reply.challenge.match(/resource_metadata="([^"]*)"/)[1].slice(server.url.length))).json.resource, server.url + at);
  }
});

// "Invalid or expired tokens MUST receive a HTTP 401 response"; RFC 6750, 3.1: invalid_token
test("says that a token is not good", async () => {
  const reply = await ask("/mcp", { method: "POST", token: "nobody", body: rpc("ping") });
  assert.equal(reply.status, 401);
  assert.match(reply.challenge, /^Bearer realm="weir", error="invalid_token", error_description="[^"]+", resource_metadata="/);
});

// "Authorization MUST be included in every HTTP request from client to server, even if they are part of
// the same logical session"
test("asks for the token at every message of a session", async () => {
  const hello = rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } });
  const opened = await ask("/mcp", { method: "POST", token: "wide-token", body: hello });
  const id = opened.headers.get("mcp-session-id");
  assert.ok(id);
  assert.equal((await ask("/mcp", { method: "POST", headers: { "Mcp-Session-Id": id }, body: rpc("ping") })).status, 401);
});

// "Access tokens MUST NOT be included in the URI query string"
test("does not look at a token in the address", async () => {
  for (const path of ["/mcp?access_token=wide-token", "/mcp?x=1&access_token=wide-token", "/sse?access_token=", "/mcp?Access_Token=a"]) {
    for (const token of [undefined, "wide-token"]) {
      const reply = await ask(path, { method: "POST", token, body: rpc("ping") });
      assert.equal(reply.status, 400, path);
      assert.equal(reply.json.error.code, "BAD_REQUEST");
      assert.ok(!reply.text.includes("wide-token"));
    }
  }
  assert.ok(!server.log().includes("wide-token"));
});

// "the server SHOULD respond with HTTP 403 Forbidden, WWW-Authenticate header with Bearer scheme:
// error="insufficient_scope", scope="required_scope1 required_scope2", resource_metadata, error_description"
const challenge = () =>
  'Bearer realm="weir", error="insufficient_scope", error_description="the tool needs a scope that the token has not", ' +
  `resource_metadata="${server.url}${wellKnown}/mcp", scope="warehouse:query warehouse:read"`;

async function assertStepUp(how) {
  const reply = await ask("/mcp", { method: "POST", token: "narrow-token", body: rpc("tools/call", select, 7), ...how });
  assert.equal(reply.status, 403);
  assert.equal(reply.type, "application/json", "no stream has begun");
  assert.equal(reply.challenge, challenge());
  return reply;
}

test("asks for all scopes of a tool by status, whatever the client accepts", async () => {
  for (const Accept of ["application/json", "application/json, text/event-stream", "text/event-stream"]) {
    const { json } = await assertStepUp({ headers: { Accept } });
    assert.equal(json.id, 7);
    assert.equal(json.error.code, -32600);
  }
  await assertStepUp({ token: "starry-token" }); // a scope of a token is no pattern
});

test("asks before the stream of a session that could be resumed", async () => {
  const hello = rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } });
  const id = (await ask("/mcp", { method: "POST", token: "narrow-token", body: hello })).headers.get("mcp-session-id");
  await assertStepUp({ headers: { "Mcp-Session-Id": id, Accept: "application/json, text/event-stream" } });
});

test("asks in the modern era", async () => {
  const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
  await assertStepUp({
    headers: { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "run_select_sql", Accept: "application/json, text/event-stream" },
    body: rpc("tools/call", { ...select, _meta }, 7) });
});

test("asks by the envelope where the shorthand was used", async () => {
  const { json } = await assertStepUp({ body: { tool: select.name, arguments: select.arguments } });
  assert.equal(json.ok, false);
  assert.equal(json.error.code, "INSUFFICIENT_SCOPE");
});

// No sentence of the protocol's, but a promise of ours: what was refused is on record.
test("keeps what it refused on record", async () => {
  await assertStepUp();
  const line = JSON.parse(readFileSync(join(server.space.dir, "logs/audit.jsonl"), "utf8").trim().split("\n").at(-1));
  assert.deepEqual([line.tool_name, line.error_code], ["run_select_sql", "INSUFFICIENT_SCOPE"]);
});

test("lets through who has the scopes, and who is not restricted", async () => {
  for (const [token, params] of [["narrow-token", list], ["wide-token", select], ["demo-analyst", select]]) {
    const reply = await ask("/mcp", { method: "POST", token, body: rpc("tools/call", params) });
    assert.equal(reply.status, 200, token);
    assert.notEqual(JSON.parse(reply.json.result.content[0].text).error?.code, "INSUFFICIENT_SCOPE");
    assert.equal(reply.challenge, null);
  }
});
