// What the protocol's own suite leaves out, over HTTP; each test names the section of the protocol map
// (mcp-protocol.md) whose MUST it holds us to.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fixture, noFixture, startServer } from "../e2e/weir.mjs";
import { busy, configure, onStage, query, quickRows, ready, records, sql, waitFor } from "./faults.mjs";
import { ask, claim, modern, notice, open, request, select, session } from "./wire.mjs";

const config = configure();
let server;
before(async () => { server = await startServer({ config: config.dir }); });
after(async () => { await server.stop(); config.remove(); });

const json = { "Content-Type": "application/json", Accept: "application/json" };
const refusal = (reply) => [reply.status, reply.json?.error?.code];
const recordOf = (id) => waitFor("its record", () => records(server.space).find((r) => r.request_id === id));

describe("a session", () => {
  test("its id is visible ASCII, and each has another (3.2)", async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await session(server, "ann"))["Mcp-Session-Id"]));
    for (const id of ids) assert.match(id, /^[\x21-\x7e]{32,}$/);
    assert.equal(new Set(ids).size, 5);
  });

  test("initialize does not come inside of one (3.2)", async () => {
    const headers = await session(server, "ann");
    const body = request(1, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } });
    assert.deepEqual(refusal(await ask(server, "ann", { headers, body })), [400, -32600]);
  });

  for (const method of ["POST", "GET", "DELETE"]) {
    const body = method === "POST" ? request(1, "ping") : undefined;
    test(`${method}: unknown, or of another principal: 404, the same words (3.2, 5)`, async () => {
      const hers = await session(server, "ann");
      const never = { "Mcp-Session-Id": "0".repeat(hers["Mcp-Session-Id"].length) };
      const foreign = await ask(server, "bob", { method, body, headers: hers });
      const unknown = await ask(server, "bob", { method, body, headers: never });
      assert.deepEqual([foreign.status, unknown.status], [404, 404]);
      assert.equal(foreign.body, unknown.body);
      assert.equal((await ask(server, "bob", { method, body, headers: { "Mcp-Session-Id": "?" } })).status, 404);
      assert.equal((await ask(server, "ann", { body: request(1, "ping"), headers: hers })).status, 200);
    });
  }

  test("DELETE ends it: 404 from then on (3.2)", async () => {
    const headers = await session(server, "ann");
    const ended = await ask(server, "ann", { method: "DELETE", headers });
    assert.deepEqual([ended.status, ended.body], [204, ""]);
    for (const method of ["GET", "DELETE"]) assert.equal((await ask(server, "ann", { method, headers })).status, 404);
    assert.equal((await ask(server, "ann", { headers, body: request(1, "ping") })).status, 404);
  });

  test("DELETE ends its streams, and no other's (3.2)", async () => {
    const [headers, others] = [await session(server, "ann"), await session(server, "ann")];
    const get = (headers) => open(server, "ann", { method: "GET", headers });
    const [first, second, other] = [await get(headers), await get(headers), await get(others)];
    assert.equal((await ask(server, "ann", { method: "DELETE", headers })).status, 204);
    await Promise.all([first.ended, second.ended]);
    assert.equal(other.isOver, false);
    other.leave();
  });

  test("GET and DELETE without one: 400; GET that takes no events: 406 (3.2)", async () => {
    for (const method of ["GET", "DELETE"]) assert.equal((await ask(server, "ann", { method })).status, 400);
    const headers = { ...(await session(server, "ann")), Accept: "application/json" };
    assert.equal((await ask(server, "ann", { method: "GET", headers })).status, 406);
  });

  test("another supported version in the header is taken, an unknown one is not (3.2)", async () => {
    const headers = await session(server, "ann");
    for (const [version, status] of [["2025-11-25", 200], ["2025-06-18", 200], ["2025-03-26", 200], ["1999-01-01", 400], ["x", 400]])
      assert.equal((await ask(server, "ann", { headers: { ...headers, "MCP-Protocol-Version": version }, body: request(1, "ping") })).status, status, version);
    assert.equal((await ask(server, "ann", { headers, body: request(1, "ping") })).status, 200);
  });

  test("is nothing to a modern request, which never gets one (3.3)", async () => {
    const { headers, body } = modern(1, "server/discover");
    const reply = await ask(server, "ann", { headers: { ...headers, "Mcp-Session-Id": "never-was", "Last-Event-ID": "7" }, body });
    assert.deepEqual([reply.status, reply.headers["mcp-session-id"]], [200, undefined]);
  });

  test("is no authentication: a token on every request (4.1, 5)", async () => {
    const headers = await session(server, "ann");
    assert.equal((await ask(server, undefined, { headers, body: request(1, "ping") })).status, 401);
  });
});

test("a token in the query string is none, and access_token is refused whoever asks (4.1)", async () => {
  for (const [path, user, status] of [
    ["/mcp?token=t-ann", undefined, 401], ["/mcp?Authorization=Bearer%20t-ann", undefined, 401],
    ["/mcp?access_token=t-ann", undefined, 400], ["/mcp?a=b&Access_Token=t-ann", "ann", 400],
  ]) for (const options of [{ body: request(1, "ping") }, { method: "GET" }])
    assert.equal((await ask(server, user, { path, ...options })).status, status, path);
});

describe("a batch (1.3, 3.2)", () => {
  const ping = (id) => request(id, "ping");
  const inSession = async (version, body, accept = {}) =>
    ask(server, "ann", { headers: { ...(await session(server, "ann", version)), ...accept }, body });

  test("is answered by an array, ids as they came, nothing for notifications", async () => {
    const reply = await inSession("2025-03-26", [ping("a"), notice("notifications/initialized"), ping(7),
      request("t", "tools/call", select(sql.quick)), request(-1, "no/such/method"), { jsonrpc: "2.0", id: 9 }], json);
    assert.equal(reply.status, 200, reply.body);
    const of = (id) => reply.answers(id)[0];
    assert.deepEqual([of("a").result, of(7).result], [{}, {}]);
    assert.deepEqual(JSON.parse(of("t").result.content[0].text).data.rows, quickRows);
    assert.equal(of(-1).error.code, -32601);
    assert.equal(reply.json.filter((m) => m.error?.code === -32600).length, 1);
    assert.equal(reply.json.length, 5);
  });

  test("of nothing to be answered: 202, empty", async () => {
    const reply = await inSession("2025-03-26", [notice("notifications/initialized"), { jsonrpc: "2.0", id: 1, result: {} }]);
    assert.deepEqual([reply.status, reply.body], [202, ""]);
  });

  for (const version of ["2024-11-05", "2025-06-18", "2025-11-25"])
    test(`is unknown to ${version}`, async () => assert.deepEqual(refusal(await inSession(version, [ping(1)])), [400, -32600]));

  for (const [why, body] of [
    ["nothing in it", []], ["initialize in it", [ping(1), request(2, "initialize", { protocolVersion: "2025-03-26" })]],
    ["a modern message in it", [ping(1), request(2, "tools/list", claim())]],
    ["too much in it", Array.from({ length: 101 }, (_, i) => ping(i))],
  ]) test(`with ${why} is refused whole`, async () => assert.deepEqual(refusal(await inSession("2025-03-26", body)), [400, -32600]));

  test("of a hundred is answered in the order of its requests", async () => {
    const reply = await inSession("2025-03-26", Array.from({ length: 100 }, (_, i) => ping(i)), json);
    assert.deepEqual(reply.json.map((m) => m.id), Array.from({ length: 100 }, (_, i) => i));
  });

  test("is modern to nobody", async () => {
    const headers = { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "ping" };
    assert.deepEqual(refusal(await ask(server, "ann", { headers, body: [ping(1)] })), [400, -32600]);
  });
});

describe("notifications/cancelled", () => {
  const cancel = (requestId) => notice("notifications/cancelled", { requestId, reason: "enough" });

  test("ends its session's call without an answer, and the record says so (2.7)", async () => {
    const headers = await session(server, "ann");
    const isBusy = busy(server);
    const reply = await open(server, "ann", { headers, body: request("slow", "tools/call", select(sql.endless)) });
    await isBusy();
    const other = await session(server, "ann");
    assert.equal((await ask(server, "ann", { headers: other, body: cancel("slow") })).status, 202);
    assert.equal((await ask(server, "bob", { headers, body: cancel("slow") })).status, 404);
    assert.equal((await ask(server, "ann", { headers, body: cancel("no such") })).status, 202);
    assert.equal(reply.isOver, false);
    assert.equal((await ask(server, "ann", { headers, body: cancel("slow") })).status, 202);
    await reply.ended;
    assert.deepEqual(reply.answers("slow"), []);
    const later = await ask(server, "ann", { method: "GET", headers: { ...headers, "Last-Event-ID": reply.lastId } });
    assert.deepEqual([later.status, later.answers("slow")], [200, []], "nor for who comes back");
    assert.equal((await recordOf("slow")).error_code, "CANCELLED");
  });
});

describe("subscriptions/listen (2.8)", () => {
  const key = "io.modelcontextprotocol/subscriptionId";
  const listen = (id, notifications, on = server) => open(on, "ann", modern(id, "subscriptions/listen", { notifications }));
  const reload = () => process.kill(server.pid, "SIGHUP");
  const isList = (kind) => (e) => e.json?.method === `notifications/${kind}/list_changed`;

  test("first what is granted, then only what was asked for, each with the request's id as it came", async () => {
    const streams = await Promise.all([listen("s", { toolsListChanged: true }), listen(7, { promptsListChanged: true, other: true })]);
    const [tools, prompts] = streams;
    for (const stream of streams) await stream.event((e) => e.json);
    assert.deepEqual(tools.events[0].json.params.notifications, { toolsListChanged: true });
    assert.deepEqual(prompts.events[0].json.params.notifications, { promptsListChanged: true });
    reload();
    await tools.event(isList("tools"));
    await prompts.event(isList("prompts"));
    for (const stream of streams) stream.leave();
    for (const [stream, id, kind] of [[tools, "s", "tools"], [prompts, 7, "prompts"]]) {
      assert.deepEqual(stream.events.map((e) => e.json.method), ["notifications/subscriptions/acknowledged", `notifications/${kind}/list_changed`]);
      for (const { json, id: event } of stream.events) assert.deepEqual([json.params._meta[key], event], [id, undefined]);
    }
  });

  test("watches the resources that it names", async () => {
    const stream = await listen(1, { resourceSubscriptions: ["weir://catalog"] });
    assert.deepEqual((await stream.event((e) => e.json)).json.params.notifications, { resourceSubscriptions: ["weir://catalog"] });
    reload();
    const updated = await stream.event((e) => e.json?.method === "notifications/resources/updated");
    assert.deepEqual([updated.json.params.uri, updated.json.params._meta[key]], ["weir://catalog", 1]);
    stream.leave();
  });

  for (const [why, params] of [["nothing", {}], ["no object", { notifications: [] }], ["no texts", { notifications: { resourceSubscriptions: [7] } }]])
    test(`that asks for ${why}: -32602`, async () =>
      assert.equal((await ask(server, "ann", modern(1, "subscriptions/listen", params))).json.error.code, -32602));

  test("ends when its client leaves, and nothing stays of it", async () => {
    for (let i = 0; i < 20; i++) {
      const stream = await listen(i, { toolsListChanged: true });
      stream.leave();
    }
    const last = await listen("last", { toolsListChanged: true });
    reload();
    assert.ok(await last.event(isList("tools")));
    last.leave();
  });

  test("ends with its result and then the stream when the server goes", async () => {
    await onStage(config, async (other) => {
      const stream = await listen("end", { toolsListChanged: true }, other);
      await stream.event((e) => e.json);
      const gone = other.stop();
      await stream.ended;
      assert.deepEqual(stream.events.at(-1).json.result, { resultType: "complete", _meta: { ...stream.events.at(-1).json.result._meta, [key]: "end" } });
      assert.deepEqual(await gone, { code: 0, signal: null });
    });
  });

  test("legacy: the GET stream of a session, that hears what it subscribed to (2.3, 3.2)", async () => {
    const headers = await session(server, "ann", "2025-06-18");
    for (const uri of ["weir://catalog", "weir://table/shop.numbers"])
      assert.deepEqual((await ask(server, "ann", { headers, body: request(uri, "resources/subscribe", { uri }) })).answers(uri)[0].result, {});
    assert.deepEqual((await ask(server, "ann", { headers, body: request(1, "resources/unsubscribe", { uri: "weir://table/shop.numbers" }) })).answers(1)[0].result, {});
    const stream = await open(server, "ann", { method: "GET", headers });
    reload();
    await stream.event((e) => e.json?.method === "notifications/resources/updated");
    await stream.event(isList("tools"));
    const updated = stream.events.filter((e) => e.json?.method === "notifications/resources/updated");
    assert.deepEqual(updated.map((e) => e.json.params.uri), ["weir://catalog"]);
    stream.leave();
  });
});

describe("the stream of a call in 2025-11-25 (3.2)", () => {
  const call = (id, text = `${sql.endless} AND c.n < 20`) => ({ body: request(id, "tools/call", select(text)) });
  const follow = (headers, last, user = "ann") => ask(server, user, { method: "GET", headers: { ...headers, "Last-Event-ID": last } });

  test("begins with an id, a time to come back and no data; older revisions never see that", async () => {
    for (const [version, primed] of [["2025-11-25", true], ["2025-06-18", false], ["2025-03-26", false]]) {
      const headers = await session(server, "ann", version);
      const reply = await ask(server, "ann", { headers: { ...headers, Accept: "text/event-stream" }, ...call(1, sql.quick) });
      assert.equal(reply.answers(1).length, 1);
      assert.equal(reply.events[0].data === "" && reply.events[0].retry > 0 && reply.events[0].id !== undefined, primed, version);
    }
  });

  test("a client that left finds the answer, as often as it comes, until it has had it", async () => {
    const headers = await session(server, "ann");
    const isBusy = busy(server);
    const reply = await open(server, "ann", { headers, ...call("r") });
    const priming = await reply.event((e) => e.id);
    await isBusy();
    reply.leave();
    const [one, two] = await Promise.all([follow(headers, priming.id), follow(headers, priming.id)]);
    assert.deepEqual([one.answers("r").length, two.answers("r").length], [1, 1]);
    assert.deepEqual(one.answers("r"), two.answers("r"));
    assert.equal((await recordOf("r")).outcome, "success");
    const third = await follow(headers, priming.id);
    assert.deepEqual(third.answers("r"), one.answers("r"));
    const rest = await follow(headers, one.lastId);
    assert.deepEqual([rest.status, rest.events], [200, []]);
    assert.equal(records(server.space).filter((r) => r.request_id === "r").length, 1, "it ran once");
  });

  test("is its session's alone, and its principal's", async () => {
    const headers = await session(server, "ann");
    const reply = await ask(server, "ann", { headers, ...call("mine", sql.quick) });
    const id = reply.events[0].id;
    assert.equal((await follow(headers, id, "bob")).status, 404);
    assert.equal((await follow(await session(server, "ann"), id)).status, 404);
    assert.equal((await follow(await session(server, "bob"), id, "bob")).status, 404);
    assert.equal((await follow(headers, id)).answers("mine").length, 1);
    await ask(server, "ann", { method: "DELETE", headers });
    assert.equal((await follow(headers, id)).status, 404);
  });

  test("an id that never was is no way to run a call again", async () => {
    const headers = await session(server, "ann");
    const reply = await ask(server, "ann", { headers, ...call("once", sql.quick) });
    const stream = reply.events[0].id.split(".")[0];
    for (const sequence of ["2", "99", "9999999999999999999"]) {
      const later = await follow(headers, `${stream}.${sequence}`);
      assert.deepEqual(later.answers("once"), [], sequence);
    }
    assert.equal((await follow(headers, `${"0".repeat(32)}.0`)).status, 404);
    assert.equal(records(server.space).filter((r) => r.request_id === "once").length, 1, "it ran once");
  });
});

describe("requestState (2.10, 5)", { skip: noFixture }, () => {
  const paper = configure({ kind: "schema" });
  after(() => paper.remove());
  const can = { elicitation: {} };
  const inputResponses = { confirm: { action: "accept", content: { ok: true } } };
  const name = "test_input_required_result_request_state";
  const round = (on, user, params) => ask(on, user, { ...modern(1, "tools/call", { name, arguments: {}, ...params }, can) });

  test("comes back whole, from who got it, for what it was given, or it is refused", () => onStage(paper, async (on) => {
    const first = (await round(on, "ann")).answers(1)[0].result;
    assert.equal(first.resultType, "input_required");
    const state = first.requestState;
    assert.equal(typeof state, "string");
    const flip = (i) => state.slice(0, i) + (state[i] === "A" ? "B" : "A") + state.slice(i + 1);
    const wrong = [
      ["ann", { requestState: state + "-TAMPERED" }], ["ann", { requestState: flip(0) }], ["ann", { requestState: flip(state.length >> 1) }],
      ["ann", { requestState: "" }], ["ann", { requestState: 7 }], ["bob", { requestState: state }],
      ["ann", { requestState: state, arguments: { other: 1 } }],
    ];
    for (const [user, params] of wrong) {
      const reply = await round(on, user, { inputResponses, ...params });
      assert.equal(reply.answers(1)[0].error?.code, -32602, JSON.stringify([user, params, reply.body]));
    }
    const last = await round(on, "ann", { inputResponses, requestState: state });
    assert.equal(last.answers(1)[0].result.resultType, "complete");
  }, { program: fixture }));
});

describe("the end of the process", () => {
  const hasty = configure({ weir: { http: { drain_timeout: "200ms" } } });
  const patient = configure({ weir: { http: { drain_timeout: "1m" } } });
  after(() => { hasty.remove(); patient.remove(); });
  const second = `${sql.endless} AND c.n < 20`;

  test("what runs longer than drain_timeout is cancelled, answered and recorded", () => onStage(hasty, async (server) => {
    const headers = await session(server, "ann", "2025-06-18");
    const isBusy = busy(server, 2);
    const legacy = ask(server, "ann", { headers, body: request("legacy", "tools/call", select(sql.endless)) });
    const now = ask(server, "bob", modern("modern", "tools/call", select(sql.endless)));
    const stream = await open(server, "ann", { method: "GET", headers });
    await isBusy();
    assert.deepEqual(await server.child.kill("SIGTERM") && await gone(server), { code: 0, signal: null });
    for (const [id, reply] of [["legacy", await legacy], ["modern", await now]]) {
      assert.equal(reply.answers(id)[0]?.result.structuredContent.error.code, "CANCELLED", reply.body);
      assert.equal(records(server.space).find((r) => r.request_id === id).error_code, "CANCELLED");
    }
    await stream.ended;
  }));

  test("what ends in time is answered, also on a stream", () => onStage(patient, async (server) => {
    const headers = await session(server, "ann");
    const isBusy = busy(server, 2);
    const reply = ask(server, "ann", modern(1, "tools/call", select(second)));
    const stream = await open(server, "ann", { headers, body: request(2, "tools/call", select(second)) });
    await isBusy();
    server.child.kill("SIGTERM");
    assert.equal((await reply).answers(1)[0].result.structuredContent.ok, true);
    assert.equal((await stream.ended).answers(2)[0]?.result.structuredContent.ok, true);
    assert.deepEqual(await gone(server), { code: 0, signal: null });
  }));
});

const gone = (server) => server.child.exitCode !== null ? { code: server.child.exitCode, signal: null }
  : new Promise((done) => server.child.once("exit", (code, signal) => done({ code, signal })));

test("what is open is counted, and nothing is left of it (10,000 streams: make bench)", () => onStage(config, async (server) => {
  const load = async () => (await ready(server)).load;
  const start = await load();
  assert.deepEqual(Object.keys(start), ["connections", "streams", "session_streams", "messages", "calls", "tasks"]);
  const headers = await session(server, "ann");
  const isBusy = busy(server);
  const all = [
    await open(server, "ann", { method: "GET", headers }), await open(server, "ann", { method: "GET", path: "/sse" }),
    ...await Promise.all(Array.from({ length: 20 }, (_, i) =>
      open(server, "ann", modern(i, "subscriptions/listen", { notifications: { toolsListChanged: true } })))),
    await open(server, "ann", { headers, body: request("slow", "tools/call", select(sql.endless)) })];
  await isBusy();
  const busiest = await load();
  assert.deepEqual([busiest.streams, busiest.session_streams, busiest.messages, busiest.calls, busiest.tasks], [22, 2, 1, 1, 0]);
  assert.ok(busiest.connections >= 23);
  await ask(server, "ann", { headers, body: notice("notifications/cancelled", { requestId: "slow" }) });
  for (const reply of all) reply.leave();
  await waitFor("the counters of the start", async () => {
    const now = await load();
    return Object.keys(start).every((key) => now[key] <= start[key]);
  });
}));
