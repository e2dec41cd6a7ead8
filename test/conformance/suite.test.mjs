// The protocol's own suite, at the version that test/e2e/package.json pins, against a configuration
// with the development user on loopback.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import { root, startServer } from "../e2e/weir.mjs";

const suite = join(root, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

const scenarios = [
  "server-initialize", "ping", "tools-list", "dns-rebinding-protection", "http-header-validation",
  "caching", "sep-2164-resource-not-found", "resources-list", "prompts-list"];

function run(url, scenario) {
  return new Promise((done) => {
    execFile(process.execPath, [suite, "server", "--url", url, "--scenario", scenario],
      { timeout: 60000 }, (error, stdout, stderr) => done({ status: error?.code ?? 0, text: stdout + stderr }));
  });
}

describe("conformance suite", () => {
  let server;
  before(async () => { server = await startServer({ config: join(root, "test/conformance/config") }); });
  after(async () => { await server.stop(); });

  for (const scenario of scenarios) {
    test(scenario, async (t) => {
      const { status, text } = await run(server.url + "/mcp", scenario);
      const counts = /Passed:\s*(\d+)\/(\d+),\s*(\d+) failed,\s*(\d+) warnings/.exec(text);
      assert.ok(counts, text);
      t.diagnostic(`${counts[1]} checks passed of ${counts[2]}, ${counts[3]} failed, ${counts[4]} warnings`);
      assert.equal(status, 0, text);
      assert.equal(Number(counts[3]), 0, text);
      assert.equal(Number(counts[4]), 0, text);
      assert.ok(Number(counts[1]) > 0, text);
    });
  }
});
