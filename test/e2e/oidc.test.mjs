// Tokens of a real issuer: each algorithm, audience, scopes, keys that change while both run, an issuer
// that is gone, and ones that answer nonsense.
import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { clients, newKeys, startIssuer } from "./issuer.mjs";
import { byRegion, noPackage, root, startServer } from "./weir.mjs";

const resource = "http://127.0.0.1:1/mcp"; // what we are called; nobody connects to it
const skip = noPackage("oidc-provider");

// The demo, with the issuer's clients as users and these lines behind weir.yaml.
async function startWith(issuer, more) {
  const config = mkdtempSync(join(tmpdir(), "weir-oidc-"));
  cpSync(join(root, "config/demo"), config, { recursive: true });
  appendFileSync(join(config, "weir.yaml"), `
auth:
  resource: ${resource}
  authorization_servers: ["${issuer.url}"]
  tool_scopes: {run_select_sql: mcp:query}
${more}`);
  const enterprise = join(config, "enterprise.yaml");
  const users = clients.map((name) => `  ${name}: {name: A robot, roles: [data_analyst]}\n`).join("");
  writeFileSync(enterprise, readFileSync(enterprise, "utf8").replace(/^users:\n/m, `users:\n${users}`));
  const server = await startServer({ config });
  return { ...server, end: async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    rmSync(config, { recursive: true, force: true });
  } };
}

async function post(server, token, method, params = {}) {
  const reply = await fetch(`${server.url}/mcp`, {
    method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } });
  return { status: reply.status, challenge: reply.headers.get("www-authenticate"), retry: reply.headers.get("retry-after"), text: await reply.text() };
}
const select = { name: "run_select_sql", arguments: { sql: byRegion } };

// The status of tools/list, once it is another than `not`.
async function until(server, token, not) {
  for (const end = Date.now() + 10000; Date.now() < end;) {
    const { status } = await post(server, token, "tools/list");
    if (status !== not) return status;
    await new Promise((done) => setTimeout(done, 50));
  }
  return not;
}

const jwt = (issuer, more = "") => `
jwt:
  jwks_uri: ${issuer.jwks}
  issuer: ${issuer.url}
  algorithms: [RS256, ES256, EdDSA]
  keys_pause: 1s
${more}`;

describe("JSON Web Tokens of an issuer", { skip }, () => {
  let issuer, server;
  before(async () => {
    issuer = await startIssuer();
    server = await startWith(issuer, jwt(issuer));
  });
  after(async () => {
    await server?.end();
    await issuer?.down();
  });

  for (const name of ["rs256", "es256", "eddsa"])
    test(`lets a client with a token by ${name} list and call`, async () => {
      const token = await issuer.token(name, { resource });
      const client = new Client({ name: "e2e", version: "1" });
      await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), {
        requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
      assert.equal((await client.listTools()).tools.length, 4);
      const { structuredContent } = await client.callTool(select);
      assert.equal(structuredContent.ok, true);
      assert.equal(structuredContent.data.row_count, 7);
      await client.close();
    });

  test("fetches the keys once", async () => {
    const tokens = await Promise.all(clients.slice(0, 3).map((name) => issuer.token(name, { resource })));
    for (const token of tokens) assert.equal((await post(server, token, "tools/list")).status, 200);
    assert.equal(issuer.count("/jwks"), 1);
  });

  test("refuses a token for somebody else, and says no more than that", async () => {
    const token = await issuer.token("rs256", { resource: "http://127.0.0.1:2/mcp" });
    const { status, challenge, text } = await post(server, token, "tools/list");
    assert.equal(status, 401);
    assert.match(challenge, /^Bearer realm="weir", error="invalid_token", error_description="the bearer token is not accepted", resource_metadata="/);
    assert.doesNotMatch(text, /audience|127\.0\.0\.1:2|rs256/);
    assert.match(server.log(), /"event":"jwt_refused","text":"Audience mismatch; peer 127\.0\.0\.1, path \/mcp/);
  });

  test("refuses a token whose bytes were touched", async () => {
    const [header, claims, signature] = (await issuer.token("es256", { resource })).split(".");
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url")), sub: "admin" })).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const token of [`${header}.${forged}.${signature}`, `${none}.${claims}.`, `${none}.${claims}.${signature}`, `${header}.${claims}.${signature}=`])
      assert.equal((await post(server, token, "tools/list")).status, 401);
  });

  test("asks for more scopes where a tool needs them", async () => {
    const narrow = await issuer.token("eddsa", { resource, scope: "mcp:read" });
    assert.equal((await post(server, narrow, "tools/list")).status, 200);
    const { status, challenge } = await post(server, narrow, "tools/call", select);
    assert.equal(status, 403);
    assert.match(challenge, /error="insufficient_scope".*scope="mcp:query"/);
    const wide = await issuer.token("eddsa", { resource });
    assert.equal((await post(server, wide, "tools/call", select)).status, 200);
  });

  test("learns of new keys by a token of theirs, and forgets the old ones", async () => {
    const old = await issuer.token("rs256", { resource });
    assert.equal((await post(server, old, "tools/list")).status, 200);
    issuer.use(newKeys("b"));
    const newer = await issuer.token("rs256", { resource });
    assert.equal(await until(server, newer, 401), 200);
    assert.equal((await post(server, old, "tools/list")).status, 401);
    assert.equal(issuer.count("/jwks"), 2);
  });
});

describe("an issuer that goes away", { skip }, () => {
  test("is not needed for keys that were there, nor for tokens that were seen", async () => {
    const issuer = await startIssuer();
    const server = await startWith(issuer, jwt(issuer, "  keys_ttl: 1s\n  required_scopes: [mcp:read]\n"));
    try {
      const [seen, unseen] = [await issuer.token("rs256", { resource }), await issuer.token("es256", { resource })];
      assert.equal((await post(server, seen, "tools/list")).status, 200);
      const narrow = await post(server, await issuer.token("rs256", { resource, scope: "mcp:query" }), "tools/list");
      assert.equal(narrow.status, 403);
      assert.match(narrow.challenge, /error="insufficient_scope"/);
      await issuer.down();
      while (!server.log().includes("keys_unavailable"))
        assert.equal((await post(server, seen, "tools/list")).status, 200);
      for (const token of [seen, unseen])
        assert.equal((await post(server, token, "tools/call", select)).status, 200);
    } finally {
      await server.end();
    }
  });
});

describe("opaque tokens of an issuer", { skip }, () => {
  test("are asked for, once in a while, and good for us alone", async () => {
    const issuer = await startIssuer();
    const server = await startWith(issuer, `
introspection:
  url: ${issuer.introspection}
  client_id: opaque
  client_secret: ${issuer.secretOf("opaque")}
`);
    try {
      const token = await issuer.token("opaque", { resource });
      assert.equal((await post(server, token, "tools/call", select)).status, 200);
      assert.equal((await post(server, token, "tools/list")).status, 200);
      assert.equal(issuer.count("/token/introspection"), 1);
      const narrow = await issuer.token("opaque", { resource, scope: "mcp:read" });
      assert.equal((await post(server, narrow, "tools/call", select)).status, 403);
      for (const bad of [await issuer.token("opaque", { resource: "http://127.0.0.1:2/mcp" }), `${token}x`, "nonsense"])
        assert.equal((await post(server, bad, "tools/list")).status, 401);
      await issuer.down();
      const unseen = await post(server, `${token}y`, "tools/list");
      assert.equal(unseen.status, 503);
      assert.ok(Number(unseen.retry) > 0);
    } finally {
      await server.end();
    }
  });
});

describe("what is no set of keys", { skip }, () => {
  const answers = {
    "/redirect": (reply) => reply.writeHead(302, { Location: "/good" }).end(),
    "/elsewhere": (reply) => reply.writeHead(307, { Location: "http://127.0.0.1:3/good" }).end(),
    "/huge": (reply) => reply.end(`{"keys":[${"{},".repeat(300000)}{}]}`),
    "/deep": (reply) => reply.end(`{"keys":${"[".repeat(5000)}${"]".repeat(5000)}}`),
    "/many": (reply) => reply.end(`{"keys":[${"{},".repeat(1000)}{}]}`),
    "/html": (reply) => reply.writeHead(200, { "Content-Type": "text/html" }).end("<html>please log in</html>"),
    "/error": (reply) => reply.writeHead(500).end('{"keys":[]}'),
    "/cut": (reply) => { reply.writeHead(200, { "Content-Length": "1000" }); reply.write('{"keys":['); reply.destroy(); },
    "/slow": () => {},
  };
  let issuer, server;
  before(async () => {
    issuer = await startIssuer();
    issuer.answer((request, reply) => (answers[request.url] ?? ((r) => r.end('{"keys":[]}')))(reply));
    const rows = Object.keys(answers).map((path, i) =>
      `    i${i}: {issuer: "https://issuer.example.com${path}", jwks_uri: "${issuer.url}${path}", user_prefix: "i${i}:"}\n`);
    server = await startWith(issuer, `jwt:\n  issuers:\n${rows.join("")}`);
  });
  after(async () => {
    await server?.end();
    await issuer?.down();
  });

  test("is answered 503, for the token may be good, and tells nothing of the issuer", async () => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    await Promise.all(Object.keys(answers).map(async (path) => {
      const claims = { iss: `https://issuer.example.com${path}`, aud: resource, sub: "rs256", exp: Math.floor(Date.now() / 1000) + 60 };
      const { status, text, retry } = await post(server, `${part({ alg: "RS256", kid: "a" })}.${part(claims)}.AAAA`, "tools/list");
      assert.equal(status, 503, path);
      assert.ok(Number(retry) > 0);
      assert.equal(JSON.parse(text).error.code, "ISSUER_UNAVAILABLE");
      assert.doesNotMatch(text, /127\.0|example|keys|rs256/);
      assert.equal(issuer.count(path), 1, path);
    }));
    assert.equal(issuer.count("/good"), 0);
  });
});
