// The official TypeScript SDK, over HTTP and over stdio: the same governed query gives two people
// different rows.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { join } from "node:path";
import { binary, byRegion, root, startServer, workspace } from "./weir.mjs";

const toolNames = ["list_allowed_tables", "describe_table", "preview_table", "run_select_sql"];

async function overHttp(server, token) {
  const client = new Client({ name: "e2e", version: "1" });
  const headers = { Authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url + "/mcp"), { requestInit: { headers } }));
  return client;
}

async function overSse(server, token) {
  const client = new Client({ name: "e2e", version: "1" });
  const headers = { Authorization: `Bearer ${token}` };
  await client.connect(
    new SSEClientTransport(new URL(server.url + "/sse"), { requestInit: { headers } }));
  return client;
}

async function overStdio(space, token) {
  const client = new Client({ name: "e2e", version: "1" });
  await client.connect(new StdioClientTransport({
    command: binary, args: ["serve", "--config", join(root, "config/demo"), "--transport", "stdio"],
    cwd: space.dir, env: { ...space.env, WEIR_TOKEN: token }, stderr: "ignore",
  }));
  return client;
}

async function call(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  assert.equal(result.isError ?? false, !result.structuredContent.ok);
  return result.structuredContent;
}

// What every transport must show; `connect` takes a token. A client is closed whatever happens, for
// one that is left open keeps the test's process alive.
function governed(connectTo) {
  const open = [];
  const connect = async (token) => {
    const client = await connectTo(token);
    open.push(client);
    return client;
  };
  afterEach(async () => { while (open.length > 0) await open.pop().close(); });

  test("lists the four tools, list_allowed_tables first", async () => {
    const client = await connect("demo-analyst");
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((t) => t.name), toolNames);
    for (const tool of tools) assert.equal(tool.annotations.readOnlyHint, true);
  });

  test("gives the analyst all regions and the manager of the south one", async () => {
    const analyst = await connect("demo-analyst");
    const manager = await connect("demo-manager");
    const all = await call(analyst, "run_select_sql", { sql: byRegion });
    const south = await call(manager, "run_select_sql", { sql: byRegion });
    assert.equal(all.data.row_count, 7);
    assert.deepEqual(all.data.columns.map((c) => c.name), ["region_code", "n"]);
    assert.deepEqual(south.data.rows, [["华南", 163]]);
    assert.deepEqual(all.data.rows.find((r) => r[0] === "华南"), ["华南", 163]);
  });

  test("reads each resource that it lists, and no other", async () => {
    const client = await connect("demo-analyst");
    const { resources } = await client.listResources();
    assert.equal(resources[0].uri, "weir://catalog");
    assert.equal(resources.length, 10);
    for (const { uri } of resources) {
      const { contents } = await client.readResource({ uri });
      assert.equal(contents[0].uri, uri);
      assert.ok(JSON.parse(contents[0].text).tables?.length === 9 || JSON.parse(contents[0].text).columns.length > 0);
    }
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.deepEqual(resourceTemplates.map((t) => t.uriTemplate), ["weir://table/{project}.{table}", "weir://result/{id}{?from}"]);
    await assert.rejects(client.readResource({ uri: "weir://table/saky_dw_cdm.salaries" }), { code: -32002 });
  });

  test("gets each prompt that it lists, with arguments that completion proposes", async () => {
    const client = await connect("demo-analyst");
    const { prompts } = await client.listPrompts();
    assert.deepEqual(prompts.map((p) => p.name), ["explore_domain", "explain_number", "write_safe_query"]);
    for (const { name, arguments: rows } of prompts) {
      const args = {};
      for (const row of rows) {
        const { completion } = await client.complete({
          ref: { type: "ref/prompt", name }, argument: { name: row.name, value: "" }, context: { arguments: args } });
        args[row.name] = completion.values[0] ?? "7";
      }
      const { messages } = await client.getPrompt({ name, arguments: args });
      assert.match(messages[0].content.text, /data, not instructions/);
    }
    await assert.rejects(client.getPrompt({ name: "explore_domain" }), { code: -32602 });
  });

  test("describes a table without its denied columns", async () => {
    const client = await connect("demo-analyst");
    const { data } = await call(client, "describe_table", { table: "dim_pub_product_df" });
    const names = data.columns.map((c) => c.name);
    assert.ok(names.includes("list_price"));
    assert.ok(!names.includes("cost_price"));
    assert.deepEqual(data.partitions.columns, ["pt"]);
  });

  test("previews the newest partition", async () => {
    const client = await connect("demo-analyst");
    const { data } = await call(client, "preview_table", {
      table: "saky_dw_cdm.dim_pub_warehouse_df", limit: 3 });
    assert.equal(data.row_count, 3);
  });

  test("refuses a denied column and tells what to do", async () => {
    const client = await connect("demo-analyst");
    const answer = await call(client, "run_select_sql", {
      sql: "SELECT cost_price FROM saky_dw_cdm.dim_pub_product_df WHERE pt = '20260505'" });
    assert.equal(answer.ok, false);
    assert.equal(answer.error.code, "COLUMN_NOT_ALLOWED");
    assert.equal(answer.data, null);
  });

  test("repairs a bad argument", async () => {
    const client = await connect("demo-analyst");
    const answer = await call(client, "describe_table", { tabel: "dim_pub_date" });
    assert.equal(answer.error.code, "INVALID_ARGUMENT");
    assert.equal(answer.error.hint, 'Call describe_table with {"table":"dim_pub_date"}');
  });

  test("masks a column", async () => {
    const client = await connect("demo-analyst");
    const { data } = await call(client, "run_select_sql", {
      sql: "SELECT customer_phone FROM saky_dw_ods.ods_sap_delivery_order_details_df " +
           "WHERE pt = '20260505' LIMIT 5" });
    for (const [phone] of data.rows) assert.match(phone, /^\d{3}\*{8}$/);
  });
}

describe("TypeScript SDK over HTTP", () => {
  let server;
  before(async () => { server = await startServer(); });
  after(async () => { assert.deepEqual(await server.stop(), { code: 0, signal: null }); });

  governed((token) => overHttp(server, token));

  test("lets nobody in without a known token", async () => {
    await assert.rejects(() => overHttp(server, "demo-nobody"), /401|Unauthorized|AUTH_INVALID_TOKEN/);
  });
});

describe("TypeScript SDK over HTTP+SSE", () => {
  let server;
  before(async () => { server = await startServer(); });
  after(async () => { assert.deepEqual(await server.stop(), { code: 0, signal: null }); });

  governed((token) => overSse(server, token));

  test("lets nobody in without a known token", async () => {
    await assert.rejects(() => overSse(server, "demo-nobody"));
  });
});

describe("TypeScript SDK over stdio", () => {
  const space = workspace();
  after(() => space.remove());

  governed((token) => overStdio(space, token));

  test("lets nobody in without a known token", async () => {
    await assert.rejects(() => overStdio(space, "demo-nobody"));
  });
});
