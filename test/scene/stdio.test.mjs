// MCP over standard input and output, in both eras and in turns of them; each test names the section of
// the protocol map (mcp-protocol.md) whose MUST it holds us to.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { fixture, noFixture } from "../e2e/weir.mjs";
import { configure, quickRows, records, sql, waitFor } from "./faults.mjs";
import { claim, notice, Pipe, request, select } from "./wire.mjs";

const config = configure();
const paper = configure({ kind: "schema" });
const hasty = configure({ weir: { limits: { task_after: "50ms" } } });
after(() => { config.remove(); paper.remove(); hasty.remove(); });

const hello = (version, id = 0) => request(id, "initialize",
  { protocolVersion: version, capabilities: {}, clientInfo: { name: "wire", version: "1" } });
const modern = (id, method, params = {}, capabilities) => request(id, method, { ...params, ...claim(capabilities) });
const cancel = (requestId) => notice("notifications/cancelled", { requestId });
const key = "io.modelcontextprotocol/subscriptionId";

async function onPipe(scene, { from = config, program } = {}) {
  const pipe = new Pipe(from, "t-ann", program);
  try {
    await scene(pipe);
    assert.deepEqual(await pipe.close(), { code: 0, signal: null }); // 3.6: promptly at the end of its input
  } finally { await pipe.end(); }
}

function play(name, scene, options) {
  test(name, { skip: options?.program ? noFixture : false }, () => onPipe(scene, options));
}

// Of a call that runs for as long as it is let: its record, once it is cancelled.
async function cancelled(pipe, id, start) {
  pipe.say(start);
  pipe.say(cancel("no such")); // unknown ids are ignored
  assert.ok((await pipe.ask(modern(`${id} beside`, "tools/list"))).result);
  pipe.say(cancel(id));
  const record = await waitFor("its record", () => records(pipe.space).find((r) => r.request_id === String(id)));
  assert.equal(record.error_code, "CANCELLED");
}

describe("cancelled by its client, a call has no answer (2.7, 3.6)", () => {
  play("legacy", async (pipe) => {
    await pipe.ask(hello("2025-11-25"));
    await cancelled(pipe, "slow", request("slow", "tools/call", select(sql.endless)));
    assert.deepEqual((await pipe.ask(request("then", "ping"))).result, {});
    assert.equal(pipe.messages.find((m) => m.id === "slow"), undefined);
  });

  play("modern", async (pipe) => {
    await cancelled(pipe, 7, modern(7, "tools/call", select(sql.endless)));
    const then = await pipe.ask(modern("then", "tools/call", select(sql.quick)));
    assert.deepEqual(then.result.structuredContent.data.rows, quickRows);
    assert.equal(pipe.messages.find((m) => m.id === 7), undefined);
  });
});

describe("subscriptions/listen (2.8, 3.6)", () => {
  const listen = (id, notifications) => modern(id, "subscriptions/listen", { notifications });
  const of = (pipe, id) => pipe.messages.filter((m) => m.params?._meta?.[key] === id);
  const trigger = (what, id) => modern(id, "tools/call", { name: `test_trigger_${what}_change`, arguments: {} });

  play("several, between answers, each message under its request's id; one that is cancelled is silent", async (pipe) => {
    pipe.say(listen("tools", { toolsListChanged: true }));
    pipe.say(listen(2, { promptsListChanged: true, toolsListChanged: true }));
    await pipe.hear((m) => m.method === "notifications/subscriptions/acknowledged" && m.params._meta[key] === 2);
    assert.ok((await pipe.ask(modern("between", "tools/list"))).result.tools.length > 0);
    assert.ok((await pipe.ask(trigger("tool", "first"))).result);
    for (const id of ["tools", 2])
      await pipe.hear((m) => m.method === "notifications/tools/list_changed" && m.params._meta[key] === id);
    assert.deepEqual(of(pipe, "tools")[0].params.notifications, { toolsListChanged: true });
    assert.deepEqual(of(pipe, 2)[0].params.notifications, { promptsListChanged: true, toolsListChanged: true });

    pipe.say(cancel("tools"));
    assert.ok((await pipe.ask(trigger("prompt", "second"))).result);
    await pipe.hear((m) => m.method === "notifications/prompts/list_changed");
    assert.ok((await pipe.ask(trigger("tool", "third"))).result);
    await waitFor("the second change", () => of(pipe, 2).filter((m) => m.method === "notifications/tools/list_changed").length === 2);
    assert.equal(of(pipe, "tools").length, 2, "silent since it was cancelled");
    assert.equal(pipe.messages.find((m) => m.id === "tools"), undefined);
  }, { from: paper, program: fixture });

  play("a legacy process is told of changes without asking (2.2)", async (pipe) => {
    await pipe.ask(hello("2025-06-18"));
    assert.ok((await pipe.ask(request("t", "tools/call", { name: "test_trigger_tool_change", arguments: {} }))).result);
    const told = await pipe.hear((m) => m.method === "notifications/tools/list_changed");
    assert.equal(told.params?._meta?.[key], undefined);
  }, { from: paper, program: fixture });
});

describe("a call that runs for long (8)", () => {
  const knows = { extensions: { "io.modelcontextprotocol/tasks": {} } };

  play("becomes a task where the client knows tasks, and can no more be cancelled as a request", async (pipe) => {
    const made = await pipe.ask(modern("long", "tools/call", select(sql.seconds), knows));
    assert.equal(made.result.resultType, "task");
    pipe.say(cancel("long"));
    const get = (id) => pipe.ask(modern(id, "tasks/get", { taskId: made.result.taskId }, knows));
    const done = await waitFor("its end", async () => {
      const now = await get(`g${pipe.messages.length}`);
      return now.result.status === "working" ? undefined : now.result;
    });
    assert.equal(done.status, "completed");
    assert.equal(done.result.structuredContent.ok, true);
    assert.equal(pipe.messages.filter((m) => m.id === "long").length, 1);
  }, { from: hasty });

  play("is awaited where the client does not", async (pipe) => {
    const reply = await pipe.ask(modern("long", "tools/call", select(sql.seconds)));
    assert.equal(reply.result.resultType, "complete");
  }, { from: hasty });

  play("a task that is cancelled ends its call", async (pipe) => {
    const made = await pipe.ask(modern("long", "tools/call", select(sql.endless), knows));
    const task = { taskId: made.result.taskId };
    assert.ok((await pipe.ask(modern("c", "tasks/cancel", task, knows))).result);
    const record = await waitFor("its record", () => records(pipe.space).find((r) => r.request_id === "long"));
    assert.equal(record.error_code, "CANCELLED");
    assert.equal((await pipe.ask(modern("g", "tasks/get", task, knows))).result.status, "cancelled");
  }, { from: hasty });
});

describe("the era of a process (1.3)", () => {
  play("initialize is welcome after a modern message", async (pipe) => {
    assert.equal((await pipe.ask(modern(1, "tools/list"))).result.resultType, "complete");
    assert.equal((await pipe.ask(request(2, "tools/list"))).error.code, -32602);
    assert.equal((await pipe.ask(hello("2025-06-18", 3))).result.protocolVersion, "2025-06-18");
    const legacy = await pipe.ask(request(4, "tools/list"));
    assert.ok(legacy.result.tools.length > 0 && legacy.result.resultType === undefined);
  });

  play("a legacy process still serves a message that claims the modern one", async (pipe) => {
    await pipe.ask(hello("2025-11-25"));
    assert.equal((await pipe.ask(modern(1, "tools/list"))).result.resultType, "complete");
    assert.deepEqual((await pipe.ask(request(2, "ping"))).result, {});
  });

  play("a claim of what is not served decides nothing", async (pipe) => {
    const future = await pipe.ask(request(1, "tools/list", { _meta: { ...claim()._meta, "io.modelcontextprotocol/protocolVersion": "2099-01-01" } }));
    assert.deepEqual([future.error.code, future.error.data], [-32022, { supported: ["2026-07-28"], requested: "2099-01-01" }]);
    assert.ok((await pipe.ask(request(2, "tools/list"))).result.tools.length > 0);
  });

  play("server/discover decides nothing", async (pipe) => {
    assert.deepEqual((await pipe.ask(modern(1, "server/discover"))).result.supportedVersions, ["2026-07-28"]);
    assert.deepEqual((await pipe.ask(request(2, "ping"))).result, {});
  });
});

describe("lines (3.6)", () => {
  play("that are no message are answered without an id, and the next one is read", async (pipe) => {
    for (const [text, code] of [["{", -32700], ["7", -32600], ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600]]) {
      const seen = pipe.messages.length;
      pipe.child.stdin.write(text + "\r\n");
      await waitFor(text, () => pipe.messages.length > seen);
      assert.equal(pipe.messages[seen].error.code, code, text);
    }
    assert.deepEqual((await pipe.ask(request(2, "ping"))).result, {});
  });

  play("of 2025-03-26 may be batches, of others not (1.3)", async (pipe) => {
    const answered = () => pipe.hear((m) => Array.isArray(m));
    pipe.say([request(1, "ping")]);
    assert.equal((await pipe.hear((m) => m.error)).error.code, -32600);
    await pipe.ask(hello("2025-03-26"));
    pipe.say([request("a", "ping"), notice("notifications/initialized"), request("b", "no/such")]);
    const [a, b, ...more] = await answered();
    assert.deepEqual([a, b.id, b.error.code, more], [{ jsonrpc: "2.0", id: "a", result: {} }, "b", -32601, []]);
  });

  play("at the end of which all that was asked is answered", async (pipe) => {
    for (let i = 0; i < 20; i++) pipe.say(modern(i, "tools/call", select(sql.quick)));
    await pipe.close();
    await waitFor("all of them", () => pipe.messages.length >= 20);
    assert.deepEqual(pipe.messages.map((m) => m.id).sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
  });
});
