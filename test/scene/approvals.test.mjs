// Who must say yes first: the caller's own user (confirm), or another person (approve), to one call, once.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { binary, startServer, workspace } from "../e2e/weir.mjs";
import { records, waitFor } from "./faults.mjs";
import { noRedis, startRedis } from "./redis.mjs";
import { ask, modern, open, request, session } from "./wire.mjs";

const rules = {
  version: "1",
  tools: {
    run_select_sql: { action: "approve", reason: "each query is looked at" },
    preview_table: { action: "confirm", reason: "it shows rows" },
  },
};

function configure() {
  const dir = mkdtempSync(join(tmpdir(), "weir-config-"));
  const put = (name, content) => writeFileSync(join(dir, name), JSON.stringify(content, null, 1));
  put("weir.yaml", { approvals: { roles: ["chief"] }, backends: [{ name: "b", kind: "duckdb", load: ["data/*.csv"], workers: 1 }] });
  put("policy.yaml", { default_project: "shop", max_limit: 100, tables: { "shop.numbers": {} } });
  put("rules.yaml", rules);
  put("auth.yaml", { tokens: { "t-ann": { user_id: "ann", roles: ["any"] }, "t-bob": { user_id: "bob", roles: ["any"] } } });
  put("enterprise.yaml", { roles: { any: {}, chief: {} },
    users: { ann: { roles: ["any", "chief"] }, bob: { roles: ["any"] }, eve: { roles: ["chief"] } } });
  mkdirSync(join(dir, "data"));
  writeFileSync(join(dir, "data/shop.numbers.csv"), "n\n1\n2\n3\n");
  return { dir, put, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

const weirOf = (config, space) => (...args) => spawnSync(binary, ["approvals", ...args, "--config", config.dir],
  { cwd: space.dir, env: space.env, encoding: "utf8", timeout: 60_000 });
const query = async (server, user, sql) =>
  (await ask(server, user, { body: { tool: "run_select_sql", arguments: { sql } } })).json;
const numbers = (limit) => `SELECT n FROM numbers ORDER BY n LIMIT ${limit}`;

describe("approvals", () => {
  const config = configure(), space = workspace();
  let one, two;
  before(async () => {
    one = await startServer({ config: config.dir, space });
    two = await startServer({ config: config.dir, space });
  });
  after(async () => { await one.stop(); await two.stop(); space.remove(); config.remove(); });

  const weir = weirOf(config, space);
  const listed = (...args) => weir("list", ...args).stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const held = async (server, user, sql) => {
    const reply = await query(server, user, sql);
    assert.equal(reply.error?.code, "APPROVAL_REQUIRED", JSON.stringify(reply));
    assert.equal(reply.error.message, "somebody else has to approve this call first: each query is looked at");
    assert.ok(reply.error.hint.includes(reply.metadata.approval.id));
    assert.equal(reply.metadata.approval.given, false);
    return reply.metadata.approval.id;
  };

  test("asked twice it is one request; another person approves it; it is used once, on whichever replica", async () => {
    const id = await held(one, "bob", numbers(1));
    assert.equal(await held(two, "bob", numbers(1)), id);
    const [shown] = listed().filter((a) => a.id === id);
    assert.deepEqual([shown.state, shown.tool, shown.user_id, shown.rule, shown.arguments],
      ["pending", "run_select_sql", "bob", "rules.yaml#tools.run_select_sql", { sql: numbers(1) }]);

    const yes = weir("approve", id, "--as", "eve", "--note", "fine");
    assert.equal(yes.status, 0, yes.stderr);
    assert.equal(JSON.parse(yes.stdout).decided_by, "eve");
    assert.notEqual(await held(one, "bob", numbers(2)), id, "another call is not approved");
    assert.notEqual(await held(one, "ann", numbers(1)), id, "nor is another caller");

    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => query(i % 2 ? one : two, "bob", numbers(1))));
    const good = answers.filter((a) => a.ok);
    assert.equal(good.length, 1, "exactly one of twenty");
    assert.deepEqual([good[0].data.rows, good[0].metadata.approval.given, good[0].metadata.approval.id], [[[1]], true, id]);
    assert.notEqual(await held(two, "bob", numbers(1)), id);

    const all = records(space);
    const used = all.filter((r) => r.approval_id === id && r.outcome === "success");
    assert.deepEqual(used.map((r) => [r.tool_name, r.user_id]).sort(), [["approval", "eve"], ["run_select_sql", "bob"]]);
    assert.ok(all.some((r) => r.approval_id === id && r.policy_decision === "approval_required"));
    const looks = used.find((r) => r.tool_name === "run_select_sql").policy_looks;
    assert.ok(looks.some(([rule, says]) => rule === "rules.yaml#tools.run_select_sql" && says === "asks an approver"), JSON.stringify(looks));
  });

  test("nobody approves a call of his own, or without the role, or twice", async () => {
    const id = await held(one, "ann", numbers(3));
    for (const [args, code] of [[["approve", id, "--as", "ann"], "nobody decides on a call of his own"],
      [["approve", id, "--as", "bob"], "approver's role"], [["approve", id, "--as", "nemo"], "no user"],
      [["approve", "0".repeat(32), "--as", "eve"], "no such request"]]) {
      const no = weir(...args);
      assert.equal(no.status, 1, JSON.stringify(args));
      assert.ok(no.stderr.includes(code), no.stderr);
    }
    assert.equal(weir("approve", id).status, 2);
    assert.equal(weir("approve", id, "--as", "eve").status, 0);
    const again = weir("reject", id, "--as", "eve");
    assert.deepEqual([again.status, /it is approved/.test(again.stderr)], [1, true], again.stderr);
    assert.ok(records(space).some((r) => r.tool_name === "approval" && r.outcome === "denied" && r.user_id === "ann"));
  });

  test("what was rejected is told with its reason", async () => {
    const id = await held(one, "bob", numbers(4));
    assert.equal(weir("reject", id, "--as", "eve", "--note", "ask for less").status, 0);
    const reply = await query(two, "bob", numbers(4));
    assert.equal(reply.error.code, "APPROVAL_REJECTED");
    assert.match(reply.error.message, /ask for less/);
    assert.equal(listed("--all").find((a) => a.id === id).state, "rejected");
  });

  test("a client that can show it, shows that the call waits", async () => {
    const can = { elicitation: {} };
    const round = async (params) => (await ask(one, "bob",
      modern(1, "tools/call", { name: "run_select_sql", arguments: { sql: numbers(5) }, ...params }, can))).answers(1)[0].result;
    const first = await round({});
    assert.equal(first.resultType, "input_required");
    const { message } = first.inputRequests.approval.params;
    const id = /[0-9a-f]{32}/.exec(message)[0];
    const back = { requestState: first.requestState, inputResponses: { approval: { action: "accept", content: {} } } };
    const early = await round(back);
    assert.equal(early.structuredContent.error.code, "APPROVAL_REQUIRED");
    assert.equal(weir("approve", id, "--as", "eve").status, 0);
    const late = await round(back);
    assert.equal(late.structuredContent.ok, true, JSON.stringify(late));
  });

  test("a changed policy asks anew", async () => {
    const id = await held(one, "bob", numbers(6));
    assert.equal(weir("approve", id, "--as", "eve").status, 0);
    const reloads = (server) => server.log().split('"event":"reloaded"').length;
    const was = reloads(one);
    config.put("rules.yaml", { ...rules, tools: { ...rules.tools, describe_table: { action: "deny", reason: "new" } } });
    one.child.kill("SIGHUP");
    await waitFor("the reload", () => reloads(one) > was);
    assert.notEqual(await held(one, "bob", numbers(6)), id);
    assert.equal((await query(two, "bob", numbers(6))).ok, true, "a replica with the old policy still takes it");
  });

  describe("confirm", () => {
    const preview = { name: "preview_table", arguments: { table: "numbers" } };
    test("the caller's own user says yes, or no", async () => {
      const round = async (params) => (await ask(one, "bob",
        modern(1, "tools/call", { ...preview, ...params }, { elicitation: {} }))).answers(1)[0].result;
      const first = await round({});
      assert.equal(first.resultType, "input_required");
      assert.match(first.inputRequests.confirm.params.message, /preview_table .*numbers[^]*it shows rows/);
      const back = (response) => round({ requestState: first.requestState, inputResponses: { confirm: response } });
      const yes = await back({ action: "accept", content: { confirm: true } });
      assert.equal(yes.structuredContent.ok, true, JSON.stringify(yes));
      for (const no of [{ action: "decline" }, { action: "cancel" }, { action: "accept", content: { confirm: false } }])
        assert.equal((await back(no)).structuredContent.error.code, "CONFIRMATION_DECLINED", JSON.stringify(no));
    });

    test("a client that cannot ask is told so", async () => {
      const reply = await ask(one, "bob", modern(1, "tools/call", preview));
      assert.equal(reply.answers(1)[0].result.structuredContent.error.code, "CONFIRMATION_REQUIRED");
    });

    test("in a legacy session the question goes over the call's stream", async () => {
      const headers = await session(one, "bob", "2025-11-25", { elicitation: {} });
      const stream = await open(one, "bob", { headers, body: request("c", "tools/call", preview) });
      const question = (await stream.event((e) => e.json?.method === "elicitation/create")).json;
      const answer = { jsonrpc: "2.0", id: question.id, result: { action: "accept", content: { confirm: true } } };
      assert.equal((await ask(one, "bob", { headers, body: answer })).status, 202);
      const end = await stream.event((e) => e.json?.id === "c");
      assert.equal(end.json.result.structuredContent.ok, true);
    });
  });
});

describe("approvals on a Redis that is killed", { skip: noRedis }, () => {
  const config = configure(), spaces = [workspace(), workspace()];
  let redis, one, two;
  before(async () => {
    redis = await startRedis();
    for (const space of spaces) Object.assign(space.env, { REDIS_URL: redis.url, WEIR_SECRET: "s".repeat(43) });
    one = await startServer({ config: config.dir, space: spaces[0] });
    two = await startServer({ config: config.dir, space: spaces[1] });
  });
  after(async () => {
    await one.stop(); await two.stop(); await redis.remove();
    for (const space of spaces) space.remove();
    config.remove();
  });

  test("of twenty calls under load, over both replicas, exactly one uses it", async () => {
    const { id } = (await query(one, "bob", numbers(2))).metadata.approval;
    assert.equal(weirOf(config, spaces[1])("approve", id, "--as", "eve").status, 0);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => query(i % 2 ? one : two, "bob", numbers(2))));
    assert.deepEqual(answers.filter((a) => a.ok).map((a) => a.metadata.approval.id), [id]);
    const refused = answers.filter((a) => !a.ok).map((a) => a.error.code);
    assert.deepEqual([refused.length, ...new Set(refused)], [19, "APPROVAL_REQUIRED"]);
  });

  test("are not lost and not used twice, over kills of Redis and of a replica", async () => {
    const weir = weirOf(config, spaces[0]);
    const asked = await query(one, "bob", numbers(1));
    const { id } = asked.metadata.approval;
    assert.equal(weir("approve", id, "--as", "eve").status, 0);

    await redis.stop();
    const blind = await query(two, "bob", numbers(1));
    assert.equal(blind.error.code, "STORE_UNAVAILABLE", "closed: nobody knows whether it was used");
    assert.equal(weir("reject", id, "--as", "eve").status, 1);
    assert.ok(await redis.start());

    let used = 0;
    const caller = async (server) => {
      for (let i = 0; i < 10; i++) {
        const reply = await query(server, "bob", numbers(1)).catch(() => undefined); // its replica was killed
        used += reply?.ok === true;
      }
    };
    const callers = Promise.all([one, two, one, two].map(caller));
    await one.stop("SIGKILL");
    await callers;
    one = await startServer({ config: config.dir, space: spaces[0] });
    await caller(one);
    assert.ok(used <= 1, `used ${used} times`);
    const ran = spaces.flatMap(records).filter((r) => r.tool_name === "run_select_sql" && r.outcome === "success" && r.approval_id === id);
    assert.ok(ran.length <= 1, `ran ${ran.length} times`);
    const [last] = weir("list", "--all").stdout.trim().split("\n").map((line) => JSON.parse(line)).filter((a) => a.id === id);
    assert.equal(last.state, "used");
  });
});
