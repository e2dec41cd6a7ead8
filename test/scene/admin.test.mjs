// The keepers' door and the headers of a gateway, attacked: each attempt is refused by the right
// status, nothing is told by it, and who is in stays in.
import assert from "node:assert/strict";
import { createHash, createHmac, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startServer, workspace } from "../e2e/weir.mjs";
import { call, configure, records } from "./faults.mjs";
import { ask, request } from "./wire.mjs";

const roles = { any: {}, mcp_admin: {} };
const config = configure({ kind: "schema", roles, roleOf: { ann: "mcp_admin" } });
after(() => config.remove());

// One name for all replicas, as behind a balancer: a session is bound to it.
const host = "127.0.0.1:9999";
const ours = { Host: host, Origin: `http://${host}` };

const api = (server, method, path, headers = {}, body = undefined) =>
  ask(server, undefined, { method, path: "/admin/api" + path, headers: { Host: host, ...headers }, body });
const code = (reply) => [reply.status, reply.json?.error?.code];

// A keeper in a browser: the headers that go along with each request.
async function login(server, token = "t-ann", headers = ours) {
  const reply = await api(server, "POST", "/session", headers, { token });
  assert.equal(reply.status, 200, reply.body);
  const [cookie] = reply.headers["set-cookie"];
  return { cookie, who: reply.json.data, headers: { ...headers, Cookie: cookie.split(";")[0], "X-CSRF-Token": reply.json.data.csrf_token } };
}

const without = (headers, ...names) => Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

function assertClosed(reply) {
  assert.equal(reply.headers["cache-control"], "no-store");
  assert.equal(reply.headers["x-content-type-options"], "nosniff");
  assert.match(reply.headers["content-security-policy"], /default-src 'none'; frame-ancestors 'none'/);
  for (const name of Object.keys(reply.headers)) assert.ok(!name.startsWith("access-control-"), name);
}

describe("a keeper's session", () => {
  let server;
  before(async () => { server = await startServer({ config: config.dir }); });
  after(async () => assert.deepEqual(await server.stop(), { code: 0, signal: null }));

  test("is a cookie that no script reads and no other site brings", async () => {
    const one = await login(server), two = await login(server);
    assert.match(one.cookie, /^weir_admin=[\w-]{43}; Path=\/admin; HttpOnly; SameSite=Strict$/);
    assert.notEqual(one.headers.Cookie, two.headers.Cookie);
    const reply = await api(server, "GET", "/session", one.headers);
    assert.deepEqual([reply.json.data.user_id, reply.json.data.auth_method], ["ann", "admin_session"]);
    assertClosed(reply);
  });

  test("changes nothing without its token and a page of ours", async () => {
    const { headers } = await login(server), other = await login(server);
    const site = (value) => ({ ...without(headers, "Origin"), "Sec-Fetch-Site": value });
    const rows = [
      [headers, 200],
      [site("same-origin"), 200],
      [without(headers, "X-CSRF-Token"), 403, "CSRF_INVALID"],
      [{ ...headers, "X-CSRF-Token": "" }, 403, "CSRF_INVALID"],
      [{ ...headers, "X-CSRF-Token": headers["X-CSRF-Token"].slice(0, -1) }, 403, "CSRF_INVALID"],
      [{ ...headers, "X-CSRF-Token": other.headers["X-CSRF-Token"] }, 403, "CSRF_INVALID"],
      [{ ...headers, "X-CSRF-Token": headers.Cookie.split("=")[1] }, 403, "CSRF_INVALID"],
      [without(headers, "Origin"), 403, "ORIGIN_NOT_ALLOWED"],
      [site("cross-site"), 403, "ORIGIN_NOT_ALLOWED"],
      [site("same-site"), 403, "ORIGIN_NOT_ALLOWED"],
      [{ ...headers, "Sec-Fetch-Site": "cross-site" }, 403, "ORIGIN_NOT_ALLOWED"],
      ...["http://evil.example.com", "null", "http://127.0.0.1:9998", "http://127.0.0.1", "file://", `http://${host}.evil.example.com`]
        .map((Origin) => [{ ...headers, Origin }, 403, "ORIGIN_NOT_ALLOWED"]),
    ];
    for (const [sent, status, why] of rows) {
      const reply = await api(server, "POST", "/reload", sent);
      assert.deepEqual(code(reply), [status, why], JSON.stringify(sent));
      assertClosed(reply);
    }
    for (const path of ["/reload", "/session/logout", "/setup/bootstrap"]) { // a link, an image
      const reply = await api(server, "GET", path, headers);
      assert.deepEqual(code(reply), [405, "METHOD_NOT_ALLOWED"]);
      assert.equal(reply.headers.allow, "POST");
    }
    assert.equal((await api(server, "GET", "/session", headers)).status, 200);
  });

  test("opens nothing for who stole the cookie", async () => {
    const { headers } = await login(server), { Cookie } = headers;
    for (const [sent, status] of [
      [{ Cookie, Host: "127.0.0.1:9998" }, 401], [{ Cookie, Host: "localhost:9999" }, 401],
      [{ Cookie, Origin: "http://evil.example.com" }, 403], [{ Cookie, "Sec-Fetch-Site": "cross-site" }, 403],
      [{ Cookie: `${Cookie}; ${Cookie}` }, 401], [{ Cookie: Cookie.toUpperCase() }, 401],
    ]) {
      const reply = await api(server, "GET", "/session", sent);
      assert.equal(reply.status, status, JSON.stringify(sent));
      assert.ok(!reply.body.includes(headers["X-CSRF-Token"]));
    }
    // It is no credential of an agent's.
    assert.equal((await ask(server, undefined, { headers: { Cookie, Host: host }, body: request(1, "ping") })).status, 401);
    const asked = await api(server, "OPTIONS", "/session", { Origin: "http://evil.example.com", "Access-Control-Request-Method": "POST" });
    assert.equal(asked.status, 405);
    assertClosed(asked);
    assert.equal((await api(server, "GET", "/session", headers)).status, 200);
  });

  test("is never one that somebody planted", async () => {
    const planted = "weir_admin=" + "A".repeat(43);
    const reply = await api(server, "POST", "/session", { ...ours, Cookie: planted }, { token: "t-ann" });
    assert.equal(reply.status, 200);
    assert.ok(!reply.headers["set-cookie"][0].startsWith(planted));
    assert.equal((await api(server, "GET", "/session", { ...ours, Cookie: planted })).status, 401);
    // A second login ends the session before it.
    const { headers } = await login(server);
    assert.equal((await api(server, "POST", "/session", headers, { token: "t-ann" })).status, 200);
    assert.equal((await api(server, "GET", "/session", headers)).status, 401);
  });

  test("is for keepers alone", async () => {
    for (const token of ["t-bob", "nobody"])
      assert.deepEqual(code(await api(server, "POST", "/session", ours, { token })), [401, "AUTH_INVALID_TOKEN"]);
    for (const [path, method] of [["/status", "GET"], ["/policy", "GET"], ["/reload", "POST"]]) {
      assert.deepEqual(code(await api(server, method, path)), [401, "AUTH_REQUIRED"]);
      assert.deepEqual(code(await api(server, method, path, { Authorization: "Bearer t-bob" })), [403, "ADMIN_REQUIRED"]);
      assert.equal((await api(server, method, path, { Authorization: "Bearer t-ann" })).status, 200);
    }
    assert.equal((await api(server, "GET", "/nothing", { Authorization: "Bearer t-ann" })).status, 404);
    const form = { ...ours, "Content-Type": "text/plain" };
    assert.deepEqual(code(await api(server, "POST", "/session", form, JSON.stringify({ token: "t-ann" }))), [415, "UNSUPPORTED_MEDIA_TYPE"]);
  });

  test("is on record, and its token is not", async () => {
    const { headers } = await login(server);
    assert.equal((await api(server, "POST", "/reload", headers)).status, 200);
    const last = records(server.space).filter((r) => r.station === "admin").slice(-2);
    assert.deepEqual(last.map((r) => [r.method, r.user_id, r.outcome]),
      [["POST /admin/api/session", "ann", "success"], ["POST /admin/api/reload", "ann", "success"]]);
    const written = readFileSync(join(server.space.dir, "logs/audit.jsonl"), "utf8") + server.log();
    for (const secret of ["t-ann", headers.Cookie.split("=")[1], headers["X-CSRF-Token"]]) assert.ok(!written.includes(secret));
  });
});

test("logins that are guessed are stopped, and so is who guesses", async () => {
  const server = await startServer({ config: config.dir });
  for (let i = 0; i < 10; i++)
    assert.deepEqual(code(await api(server, "POST", "/session", ours, { token: `guess-${i}` })), [401, "AUTH_INVALID_TOKEN"]);
  for (const token of ["guess-10", "t-ann"]) {
    const reply = await api(server, "POST", "/session", ours, { token });
    assert.deepEqual(code(reply), [429, "RATE_LIMIT_EXCEEDED"]);
    assert.equal(reply.headers["retry-after"], "60");
  }
  assert.ok(!server.log().includes("guess-"));
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("a logout at one replica is one at all of them", async () => {
  const space = workspace();
  const [one, two] = [await startServer({ config: config.dir, space }), await startServer({ config: config.dir, space })];
  try {
    const { headers } = await login(one);
    assert.equal((await api(two, "GET", "/session", headers)).status, 200);
    const bye = await api(two, "POST", "/session/logout", headers);
    assert.equal(bye.status, 200, bye.body);
    assert.match(bye.headers["set-cookie"][0], /^weir_admin=; .*Max-Age=0$/);
    for (const server of [one, two]) assert.deepEqual(code(await api(server, "GET", "/session", headers)), [401, "AUTH_REQUIRED"]);
  } finally {
    for (const server of [one, two]) assert.deepEqual(await server.stop(), { code: 0, signal: null });
    space.remove();
  }
});

describe("the first run", () => {
  const fresh = configure({ kind: "schema" });
  const file = join(fresh.dir, "auth.local.yaml"), secret = "a-secret-of-the-deployment";
  after(() => fresh.remove());
  let server, other, space;
  before(async () => {
    space = workspace();
    space.env.ADMIN_BOOTSTRAP_SECRET = secret;
    [server, other] = [await startServer({ config: fresh.dir, space }), await startServer({ config: fresh.dir, space })];
  });
  after(async () => {
    for (const one of [server, other]) assert.deepEqual(await one.stop(), { code: 0, signal: null });
    space.remove();
  });
  const far = { "X-Forwarded-For": "203.0.113.9" };
  const first = (headers, body, at = server) => api(at, "POST", "/setup/bootstrap", headers, body);

  test("is for who is at the machine, or knows its secret", async () => {
    assert.deepEqual((await api(server, "GET", "/setup/status")).json.data, { needs_setup: true, needs_secret: false });
    assert.deepEqual((await api(server, "GET", "/setup/status", far)).json.data, { needs_setup: true, needs_secret: true });
    const rows = [
      [far, {}, 401, "AUTH_REQUIRED"], [far, { secret: "guess" }, 401, "AUTH_REQUIRED"], [far, { secret: "" }, 401, "AUTH_REQUIRED"],
      [{}, { secret: "guess" }, 401, "AUTH_REQUIRED"],
      [{ Host: "evil.example.com" }, {}, 403, "HOST_NOT_ALLOWED"], [{ Origin: "http://evil.example.com" }, {}, 403, "ORIGIN_NOT_ALLOWED"],
      [{ "Content-Type": "text/plain" }, "{}", 415, "UNSUPPORTED_MEDIA_TYPE"], [{}, { user_id: "" }, 400, "INVALID_ARGUMENT"],
    ];
    for (const [headers, body, ...what] of rows) assert.deepEqual(code(await first(headers, body)), what, JSON.stringify(body));
    assert.ok(!existsSync(file));
  });

  test("makes one keeper, once, and keeps the token's hash alone", async () => {
    writeFileSync(file, "# by hand\ntokens:\n  t-old: {user_id: old}\n");
    const replies = await Promise.all([server, other, server, other].map((at) => first(far, { user_id: "王芳", secret }, at)));
    const made = replies.find((r) => r.status === 200);
    assert.equal(replies.filter((r) => r.status === 200).length, 1);
    for (const reply of replies) assert.ok([200, 409, 503].includes(reply.status), reply.body);
    const { token, user_id } = made.json.data, text = readFileSync(file, "utf8");
    assert.equal(user_id, "王芳");
    assert.ok(text.startsWith("# by hand\ntokens:\n") && text.includes("t-old: {user_id: old}"));
    assert.ok(text.includes("sha256:" + createHash("sha256").update(token).digest("hex")) && !text.includes(token));
    const maker = replies.indexOf(made) % 2 === 0 ? server : other;
    const { who } = await login(maker, token);
    assert.equal(who.user_id, "王芳");
    for (const one of [server, other]) assert.equal((await api(one, "GET", "/setup/status")).json.data.needs_setup, false);
    const record = [...records(space)].find((r) => r.method === "POST /admin/api/setup/bootstrap");
    assert.deepEqual([record.user_id, record.auth_method, record.outcome], ["王芳", "bootstrap", "success"]);
    const written = text + readFileSync(join(space.dir, "logs/audit.jsonl"), "utf8") + server.log() + other.log();
    for (const hidden of [token, secret]) assert.ok(!written.includes(hidden));
  });

  test("is over then, also at a replica that has not heard of it", async () => {
    for (const at of [server, other]) assert.deepEqual(code(await first({}, { secret }, at)), [409, "SETUP_DONE"]);
  });
});

test("a keeper's session takes Superset's settings, and loosens nothing by them", async () => {
  const space = workspace();
  space.env.MCP_SESSION_CONFIG = JSON.stringify({ SESSION_COOKIE_NAME: "superset_session", SESSION_COOKIE_SAMESITE: "Lax",
    SESSION_COOKIE_SECURE: false, SESSION_COOKIE_HTTPONLY: false, PERMANENT_SESSION_LIFETIME: 3600 });
  space.env.MCP_CSRF_CONFIG = JSON.stringify({ WTF_CSRF_ENABLED: false, WTF_CSRF_TIME_LIMIT: null });
  const server = await startServer({ config: config.dir, space });
  const { cookie, who, headers } = await login(server);
  assert.match(cookie, /^superset_session=[\w-]{43}; Path=\/admin; HttpOnly; SameSite=Lax$/);
  assert.equal(Date.parse(who.ends) - Date.parse(who.created), 3600_000);
  assert.deepEqual(code(await api(server, "POST", "/reload", without(headers, "X-CSRF-Token"))), [403, "CSRF_INVALID"]);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  space.remove();
});

test("is served where it is wanted, and nowhere else", async () => {
  const off = configure({ kind: "schema", roles, roleOf: { ann: "mcp_admin" }, weir: { admin: { enabled: false } } });
  const authorized = { Authorization: "Bearer t-ann" };
  for (const [dir, args, status] of [[off.dir, [], 404], [config.dir, ["--host", "0.0.0.0"], 404], [config.dir, [], 200]]) {
    const server = await startServer({ config: dir, args });
    assert.equal((await api(server, "GET", "/policy", authorized)).status, status);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  }
  off.remove();
});

// -- approvals

test("an approver says yes to one call of somebody else's, once", async () => {
  const held = configure({ kind: "schema", roles, roleOf: { ann: "mcp_admin", cat: "mcp_admin" } });
  writeFileSync(join(held.dir, "rules.yaml"), JSON.stringify({ version: "1", tools: { list_allowed_tables: { action: "approve" } } }));
  const server = await startServer({ config: held.dir });
  const as = (user) => ({ Authorization: `Bearer t-${user}` });
  const list = (user) => call(server, user, "list_allowed_tables");
  const pending = async () => (await api(server, "GET", "/approvals", as("ann"))).json.data.approvals.filter((a) => a.state === "pending");
  const decide = (id, what, headers, body) => api(server, "POST", `/approvals/${id}/${what}`, headers, body);

  assert.equal((await list("bob")).error.code, "APPROVAL_REQUIRED");
  const [{ id, ...asked }] = await pending();
  assert.deepEqual([asked.tool, asked.user_id], ["list_allowed_tables", "bob"]);
  const { headers } = await login(server);
  const rows = [
    [id, as("bob"), 403, "APPROVAL_NOT_ALLOWED"], [id, {}, 401, "AUTH_REQUIRED"], [id, without(headers, "X-CSRF-Token"), 403, "CSRF_INVALID"],
    [id, { ...headers, Origin: "http://evil.example.com" }, 403, "ORIGIN_NOT_ALLOWED"], ["0".repeat(32), as("ann"), 404, "APPROVAL_NOT_FOUND"],
    ["..%2f..", as("ann"), 404, "APPROVAL_NOT_FOUND"],
  ];
  for (const [which, sent, ...what] of rows) assert.deepEqual(code(await decide(which, "approve", sent)), what);
  assert.deepEqual(code(await api(server, "GET", "/approvals", as("bob"))), [403, "APPROVAL_NOT_ALLOWED"]);
  assert.equal((await list("bob")).error.code, "APPROVAL_REQUIRED");

  const yes = await decide(id, "approve", headers, { note: "go on" });
  assert.deepEqual([yes.status, yes.json.data.state, yes.json.data.decided_by], [200, "approved", "ann"], yes.body);
  assert.deepEqual(code(await decide(id, "reject", as("cat"))), [409, "APPROVAL_DECIDED"]);
  assert.equal((await list("bob")).ok, true);
  assert.equal((await list("bob")).error.code, "APPROVAL_REQUIRED", "it is used up");
  const [again] = await pending();
  assert.equal((await decide(again.id, "reject", as("cat"))).json.data.state, "rejected");

  assert.equal((await list("ann")).error.code, "APPROVAL_REQUIRED");
  const [own] = await pending();
  assert.deepEqual(code(await decide(own.id, "approve", as("ann"))), [403, "APPROVAL_NOT_ALLOWED"]);
  assert.ok(records(server.space).some((r) => r.method === `POST /admin/api/approvals/${id}/approve` && r.user_id === "ann" && r.approval_id === id));
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  held.remove();
});

// -- keys for the cloud

test("keys for the cloud are whole or refused, and told to nobody", async () => {
  const server = await startServer({ config: config.dir });
  const [id, key, token, region] = ["X-Aliyun-Access-Key-Id", "X-Aliyun-Access-Key-Secret", "X-Aliyun-Security-Token", "X-Aliyun-Region"];
  const rows = [
    [{}, 200], [{ [id]: "LTAIdentity", [key]: "topmostSecret" }, 200], [{ [id]: "LTAIdentity", [key]: "topmostSecret", [token]: "topmostToken" }, 200],
    [{ [region]: "cn-beijing" }, 200], [{ [id]: "LTAIdentity" }, 400], [{ [key]: "topmostSecret" }, 400], [{ [token]: "topmostToken" }, 400],
    [{ [id]: "LTAIdentity", [token]: "topmostToken" }, 400], [{ [id]: ["LTAIdentity", "other"], [key]: "topmostSecret" }, 400],
    [{ [region]: "cn-beijing.evil.example.com" }, 400],
  ];
  for (const [headers, status] of rows) {
    const reply = await ask(server, "bob", { headers, body: request(1, "ping") });
    assert.equal(reply.status, status, JSON.stringify(headers));
    if (status === 400) assert.equal(reply.json.error.code, "CLOUD_CREDENTIALS_INVALID");
    // They are no way in.
    assert.equal((await ask(server, undefined, { headers, body: request(1, "ping") })).status, 401);
    assert.ok(!/LTAIdentity|topmost/.test(reply.body));
  }
  await ask(server, "bob", { headers: rows[2][0], body: request(2, "tools/call", { name: "list_allowed_tables", arguments: {} }) });
  assert.ok(records(server.space).some((r) => r.tool_name === "list_allowed_tables"));
  assert.ok(!/LTAIdentity|topmost/.test(server.log() + JSON.stringify(records(server.space))));
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

// -- the headers of a gateway

const secret = "the-secret-of-the-gateway-and-us";

function signed({ method = "POST", target = "/mcp", time = Math.floor(Date.now() / 1000), nonce = randomUUID(), user = "ann", client = "", session = "", body, key = secret }) {
  const hash = createHash("sha256").update(body).digest("hex");
  const text = ["v1", method, target, time, nonce, user, client, session, hash].join("\n");
  const given = { "X-User-Id": user, "X-Client-Id": client, "X-Session-Id": session, "X-Timestamp": String(time), "X-Nonce": nonce };
  const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  return { ...headers, "X-Signature": createHmac("sha256", key).update(text).digest("hex") };
}

const ping = JSON.stringify(request(1, "ping"));
const send = (server, headers, { path = "/mcp", body = ping } = {}) => ask(server, undefined, { path, headers, body });

describe("headers of a gateway", () => {
  const auth = { gateway_header_enabled: true, gateway_signature_secret: secret };
  const trusting = configure({ kind: "schema", weir: { auth } });
  const elsewhere = configure({ kind: "schema", weir: { auth: { ...auth, gateway_trusted_peers: ["10.9.8.0/24"] } } });
  after(() => { trusting.remove(); elsewhere.remove(); });
  let space, one, two;
  before(async () => {
    space = workspace();
    [one, two] = [await startServer({ config: trusting.dir, space }), await startServer({ config: trusting.dir, space })];
  });
  after(async () => {
    for (const server of [one, two]) assert.deepEqual(await server.stop(), { code: 0, signal: null });
    space.remove();
  });

  test("name a user, once at all replicas", async () => {
    const headers = signed({ body: ping, client: "sales_bot", session: "s-1" });
    assert.equal((await send(one, headers)).status, 200);
    for (const server of [one, two, one]) assert.deepEqual(code(await send(server, headers)), [401, "NONCE_REPLAYED"]);
    const many = await Promise.all(Array.from({ length: 8 }, () => signed({ body: ping })).flatMap((h) => [send(one, h), send(two, h)]));
    assert.deepEqual([200, 401].map((status) => many.filter((r) => r.status === status).length), [8, 8]);
  });

  test("are refused when anything of the request is another", async () => {
    const good = () => signed({ body: ping });
    const now = Math.floor(Date.now() / 1000);
    const bent = [
      [good(), { body: ping.replace("ping", "tools/list") }], [good(), { path: "/mcp?a=1" }], [good(), { path: "/mcp/v1" }],
      [{ ...good(), "X-User-Id": "bob" }], [{ ...good(), "X-Client-Id": "bot" }], [{ ...good(), "X-Session-Id": "s" }],
      [(({ "X-Signature": s, ...rest }) => ({ ...rest, "X-Signature": s.toUpperCase() }))(good())],
      [(({ "X-Signature": s, ...rest }) => ({ ...rest, "X-Signature": s.slice(1) }))(good())],
      [without(good(), "X-Signature")], [without(good(), "X-Nonce")], [without(good(), "X-Timestamp")], [without(good(), "X-User-Id")],
      [signed({ body: ping, key: "another-secret-of-some-other" })],
      [signed({ body: ping, time: now - 310 })], [signed({ body: ping, time: now + 310 })], [signed({ body: ping, time: `${now}.5` })],
      [signed({ body: ping, nonce: "short" })], [signed({ body: ping, nonce: "a nonce with blanks in" })],
      [signed({ body: ping, user: "ann,bob" })], [signed({ body: ping, user: "a".repeat(300) })],
      [{ ...good(), Authorization: "Bearer t-ann" }], [{ ...good(), "X-User-Id": ["ann", "ann"] }], [{ "X-User-Id": "ann" }],
    ];
    for (const [headers, how] of bent) {
      const reply = await send(one, headers, how);
      assert.deepEqual(code(reply), [401, "SIGNATURE_INVALID"], JSON.stringify([headers, how]));
      assert.match(reply.headers["www-authenticate"], /^Bearer /);
      assert.ok(!reply.body.includes(secret));
    }
    assert.deepEqual(code(await send(one, signed({ body: ping, user: "nobody" }))), [401, "AUTH_INVALID_TOKEN"]);
    assert.equal((await send(one, good())).status, 200);
    const raw = Buffer.from("ann\xff", "latin1").toString("latin1");
    assert.equal((await send(one, { ...good(), "X-User-Id": raw })).status, 401);
    assert.ok(!(one.log() + readFileSync(join(space.dir, "logs/audit.jsonl"), "utf8")).includes(secret));
  });

  test("are refused from anywhere else, and passed over where they are off", async () => {
    const far = await startServer({ config: elsewhere.dir });
    assert.deepEqual(code(await send(far, signed({ body: ping }))), [401, "SIGNATURE_INVALID"]);
    assert.equal((await send(far, { Authorization: "Bearer t-ann" })).status, 200);
    assert.deepEqual(await far.stop(), { code: 0, signal: null });
    const off = await startServer({ config: config.dir });
    assert.deepEqual(code(await send(off, signed({ body: ping }))), [401, "AUTH_REQUIRED"]);
    assert.equal((await send(off, { ...signed({ body: ping }), Authorization: "Bearer t-ann" })).status, 200);
    assert.deepEqual(await off.stop(), { code: 0, signal: null });
  });
});
