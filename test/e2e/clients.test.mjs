// Real clients, as they come from their registries: each connects, lists, calls, cancels, and takes a
// dropped stream up again where it can. What could not be fetched is skipped, and says so.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createServer, connect as connectTo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { busy, configure, quickRows, records, sql, waitFor } from "../scene/faults.mjs";
import { noModule, noPackage, python, root, startServer } from "./weir.mjs";

const config = configure();
let server;
before(async () => { server = await startServer({ config: config.dir }); });
after(async () => { await server.stop(); config.remove(); });

const tools = ["list_allowed_tables", "describe_table", "preview_table", "run_select_sql"];
const second = `${sql.endless} AND c.n < 20`;
const bearer = { Authorization: "Bearer t-ann" };
const kit = (path) => join(root, "node_modules", path);

// Waits for the first cancelled call that the log did not have.
async function cancelledSince(count) {
  const cancelled = () => records(server.space).filter((r) => r.error_code === "CANCELLED").length;
  if (count === undefined) return cancelled();
  await waitFor("the record of a cancelled call", () => cancelled() > count);
}

// Stands between a client and the server, so that the line between them can be cut.
async function line() {
  const sockets = new Set();
  const between = createServer((near) => {
    const far = connectTo(Number(new URL(server.url).port), "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.on("error", () => {}).on("close", () => { sockets.delete(one); other.destroy(); }).pipe(other);
    }
  });
  await new Promise((done) => between.listen(0, "127.0.0.1", done));
  const cut = () => { for (const socket of sockets) socket.destroy(); };
  return { url: `http://127.0.0.1:${between.address().port}`, cut, close: () => { between.close(); cut(); } };
}

// -- the TypeScript SDKs, directly and behind mcp-remote

async function sdk1() {
  const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
  const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
  const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
  return {
    http: (url) => new StreamableHTTPClientTransport(new URL(url + "/mcp"), { requestInit: { headers: bearer } }),
    stdio: (options) => new StdioClientTransport(options),
    client: () => new Client({ name: "e2e", version: "1" }),
    call: (client, args, options) => client.callTool(args, undefined, options),
  };
}

const sdk2 = (mode) => async () => {
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  return {
    http: (url) => new StreamableHTTPClientTransport(new URL(url + "/mcp"), { requestInit: { headers: bearer } }),
    client: () => new Client({ name: "e2e", version: "1" }, { versionNegotiation: { mode } }),
    call: (client, args, options) => client.callTool(args, options),
  };
};

async function behindRemote() {
  const sdk = await sdk1();
  const http = (url) => sdk.stdio({ command: process.execPath, stderr: "ignore", args: [
    kit("mcp-remote/dist/proxy.js"), url + "/mcp", "--transport", "http-only", "--header", "Authorization:Bearer t-ann"] });
  return { ...sdk, http };
}

const select = (text) => ({ name: "run_select_sql", arguments: { sql: text } });

for (const { name, at, load, resumes } of [
  { name: "TypeScript SDK 1.x", at: "@modelcontextprotocol/sdk", load: sdk1, resumes: true },
  { name: "TypeScript SDK 2.x, legacy", at: "@modelcontextprotocol/client", load: sdk2("legacy"), resumes: true },
  { name: "TypeScript SDK 2.x, modern", at: "@modelcontextprotocol/client", load: sdk2("auto") },
  { name: "mcp-remote", at: "mcp-remote", load: behindRemote, resumes: true },
]) describe(name, { skip: noPackage(at) }, () => {
  const onClient = async (scene, url = server.url) => {
    const sdk = await load();
    const client = sdk.client();
    try {
      await client.connect(sdk.http(url));
      return await scene(client, (text, options) => sdk.call(client, select(text), options));
    } finally { await client.close(); }
  };

  test("connects, lists and calls", () => onClient(async (client, ask) => {
    assert.deepEqual((await client.listTools()).tools.map((tool) => tool.name), tools);
    assert.equal((await client.listResources()).resources[0].uri, "weir://catalog");
    assert.deepEqual((await ask(sql.quick)).structuredContent.data.rows, quickRows);
    const refused = await ask("SELECT * FROM salaries");
    assert.deepEqual([refused.isError, refused.structuredContent.data], [true, null]);
  }));

  test("cancels: its query ends", () => onClient(async (client, ask) => {
    const seen = await cancelledSince();
    const isBusy = busy(server);
    const enough = new AbortController();
    const asked = assert.rejects(ask(sql.endless, { signal: enough.signal }));
    await isBusy();
    enough.abort("enough");
    await asked;
    await cancelledSince(seen);
    assert.deepEqual((await ask(sql.quick)).structuredContent.data.rows, quickRows);
  }));

  if (resumes) test("takes up a stream that was cut", async () => {
    const wire = await line();
    try {
      await onClient(async (client, ask) => {
        const isBusy = busy(server);
        const asked = ask(second);
        await isBusy();
        wire.cut();
        assert.equal((await asked).structuredContent.data.row_count, 1);
      }, wire.url);
    } finally { wire.close(); }
  });
});

describe("TypeScript SDK 2.x", { skip: noPackage("@modelcontextprotocol/client") }, () => {
  test("listens, hears of a change, and is told when the server goes", async () => {
    const other = await startServer({ config: config.dir });
    const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
    const client = new Client({ name: "e2e", version: "1" }, { versionNegotiation: { mode: "auto" } });
    try {
      await client.connect(new StreamableHTTPClientTransport(new URL(other.url + "/mcp"), { requestInit: { headers: bearer } }));
      const changed = new Promise((done) => client.setNotificationHandler("notifications/tools/list_changed", done));
      const subscription = await client.listen({ toolsListChanged: true });
      assert.deepEqual(subscription.honoredFilter, { toolsListChanged: true });
      process.kill(other.pid, "SIGHUP");
      await changed;
      const gone = other.stop();
      assert.equal(await subscription.closed, "graceful");
      assert.deepEqual(await gone, { code: 0, signal: null });
    } finally {
      await client.close();
      await other.stop("SIGKILL");
    }
  });
});

// -- the Inspector's command line

const inspector = kit("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
describe("MCP Inspector's CLI", { skip: noPackage("@modelcontextprotocol/inspector") }, () => {
  const args = (era, ...what) => [inspector, "--cli", server.url + "/mcp", "--transport", "http",
    "--header", "Authorization: Bearer t-ann", "--protocol-era", era, "--method", ...what];
  const call = (text) => ["tools/call", "--tool-name", "run_select_sql", "--tool-arg", `sql=${text}`];
  const inspect = async (...all) => JSON.parse((await promisify(execFile)(process.execPath, args(...all))).stdout);

  for (const era of ["legacy", "modern"]) test(`${era}: connects, lists and calls`, async () => {
    assert.deepEqual((await inspect(era, "tools/list")).tools.map((tool) => tool.name), tools);
    assert.equal((await inspect(era, "resources/list")).resources[0].uri, "weir://catalog");
    assert.equal((await inspect(era, "prompts/list")).prompts[0].name, "explore_domain");
    assert.deepEqual((await inspect(era, ...call(sql.quick))).structuredContent.data.rows, quickRows);
  });

  test("modern: ended in the middle of a call, it has cancelled it", async () => {
    const seen = await cancelledSince();
    const isBusy = busy(server);
    const child = spawn(process.execPath, args("modern", ...call(sql.endless)), { stdio: "ignore" });
    await isBusy();
    child.kill("SIGKILL");
    await cancelledSince(seen);
  });
});

// -- Python, by a script that does the same; it says "calling" when its call may be cut

for (const client of ["mcp", "fastmcp"])
  for (const mode of ["legacy", "auto"])
    test(`Python: ${client}, ${mode}`, { skip: noModule(client) }, async () => {
      const seen = await cancelledSince();
      const wire = await line();
      const script = join(root, "test/e2e/python_peer.py");
      const child = spawn(python, [script, client, mode, wire.url + "/mcp", second, sql.endless], { stdio: ["pipe", "pipe", "inherit"] });
      const gone = new Promise((done) => child.once("exit", done));
      const said = [];
      try {
        for await (const text of createInterface({ input: child.stdout })) {
          said.push(text);
          if (text === "will be cut") await busy(server)().then(wire.cut);
          if (text === "will cancel") await busy(server)().then(() => child.stdin.write("now\n"));
        }
        assert.equal(await gone, 0, said.join("\n"));
        assert.deepEqual(said, ["listed", "called", ...(mode === "legacy" ? ["will be cut", "taken up"] : []), "will cancel", "cancelled", "called"]);
        await cancelledSince(seen);
      } finally {
        child.kill("SIGKILL");
        wire.close();
      }
    });
