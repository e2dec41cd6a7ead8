// The official Python SDK; see python_client.py. Where PyPI could not be reached there is none, and
// the test says so.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { binary, noModule, python, root, startServer } from "./weir.mjs";

test("Python SDK over HTTP and stdio, both eras", { skip: noModule("mcp") }, async () => {
  const server = await startServer();
  try {
    const { stdout } = await promisify(execFile)(python, [
      join(root, "test/e2e/python_client.py"), server.url, binary, join(root, "config/demo")]);
    assert.deepEqual(stdout.trim().split("\n"), [
      "ok http auto", "ok stdio auto", "ok http legacy", "ok stdio legacy"]);
  } finally {
    await server.stop();
  }
});
