// A candidate policy in the whole program: counted and logged beside the live one, and never obeyed.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startServer } from "../e2e/weir.mjs";
import { call, configure, headers } from "./faults.mjs";

const config = configure({ kind: "schema", roles: { any: {}, mcp_admin: {} }, roleOf: { ann: "mcp_admin" } });
after(() => config.remove());
const put = (name, content) => writeFileSync(join(config.dir, name), JSON.stringify(content));

const describeTable = (server) => call(server, "bob", "describe_table", { table: "numbers" });

async function policy(server, method = "GET", path = "policy") {
  const reply = await fetch(`${server.url}/admin/api/${path}`, { method, headers: headers("ann"), body: method === "POST" ? "{}" : undefined });
  const json = await reply.json();
  assert.equal(reply.status, 200, JSON.stringify(json));
  return json.data;
}

describe("a candidate", () => {
  let server;
  before(async () => {
    put("rules.candidate.yaml", { version: "1", tools: { describe_table: { action: "deny", reason: "not tomorrow" } } });
    server = await startServer({ config: config.dir });
  });
  after(async () => assert.deepEqual(await server.stop(), { code: 0, signal: null }));

  test("is judged beside each call, and decides none", async () => {
    for (let i = 0; i < 5; i++) {
      const reply = await describeTable(server);
      assert.equal(reply.ok, true, JSON.stringify(reply));
    }
    const { version, candidate } = await policy(server);
    assert.notEqual(candidate.version, version);
    assert.deepEqual(candidate, { version: candidate.version, judged: 5, different: 5,
      differences: [{ tool: "describe_table", live: "allow", candidate: "deny", calls: 5 }] });
  });

  test("is logged the first times, without values of the call", () => {
    const lines = server.log().split("\n").filter((line) => line.includes("policy_difference")).map((line) => JSON.parse(line));
    assert.equal(lines.length, 3);
    assert.equal(lines[0].text, "tool 'describe_table': allow by default, the candidate would deny by rules.yaml#tools.describe_table");
    assert.ok(lines.every((line) => /^[0-9a-f-]{36}$/.test(line.call) && !line.text.includes("numbers")));
  });

  test("that is broken is told, and the live policy goes on", async () => {
    put("rules.candidate.yaml", { version: "1", tools: { describe_table: { action: "dney" } } });
    await policy(server, "POST", "reload");
    assert.equal((await policy(server)).candidate, undefined);
    assert.equal((await describeTable(server)).ok, true);
    assert.match(server.log(), /no candidate is judged/);
  });

  test("becomes the live one by its name", async () => {
    rmSync(join(config.dir, "rules.candidate.yaml"));
    put("rules.yaml", { version: "1", tools: { describe_table: { action: "deny", reason: "not tomorrow" } } });
    await policy(server, "POST", "reload");
    assert.equal((await policy(server)).candidate, undefined);
    const reply = await describeTable(server);
    assert.deepEqual([reply.ok, reply.error.message], [false, "not tomorrow"]);
  });
});
