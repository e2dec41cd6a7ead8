// Real processes, killed, starved and interrupted: no wrong answer, no answer without a record, a clear
// error, and the next call works. Nothing here sleeps to be in time: it waits for what it needs to see.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { startServer, workspace } from "../e2e/weir.mjs";
import {
  assertRecorded, busy, call, children, configure, headers, load, mixed, onStage, query, quickRows, ready, records, sql,
  status, verify, waitFor,
} from "./faults.mjs";

const config = configure();
after(() => config.remove());

const code = (reply) => reply.error?.code;

// Workers that are past their start: one that ends while it starts makes the pool wait before the next.
const fenced = (server) => children(server.pid).filter((pid) => status(pid)?.Seccomp === "2");

describe("workers", () => {
  test("run behind seccomp, without new privileges", () => onStage(config, async (server) => {
    assert.deepEqual((await query(server, "ann", sql.quick)).data.rows, quickRows);
    // Another one may still be on its way up.
    await waitFor("all workers behind their fence", () => fenced(server).length === children(server.pid).length);
    assert.ok(fenced(server).length > 0);
    for (const pid of fenced(server)) assert.equal(status(pid).NoNewPrivs, "1");
  }));

  test("are killed while queries run: right rows or a clear error, and then right rows", () => onStage(config, async (server) => {
    const under = load(server, 6, (s) => query(s, "ann", sql.quick));
    for (let kills = 0; kills < 8; kills++) {
      const seen = under.replies.length;
      await waitFor("replies", () => under.replies.length >= seen + 20);
      const worker = await waitFor("a worker", () => fenced(server)[0]);
      process.kill(worker, "SIGKILL");
    }
    await under.stop();
    assert.equal(under.lost, 0);
    for (const reply of under.replies) {
      if (reply.ok) assert.deepEqual(reply.data.rows, quickRows);
      else assert.match(code(reply), /^(BACKEND_ERROR|BACKEND_BUSY|CONCURRENCY_LIMIT_EXCEEDED)$/, JSON.stringify(reply));
    }
    await waitFor("right rows", async () => (await query(server, "bob", sql.quick)).ok);
    for (let i = 0; i < 10; i++) assert.deepEqual((await query(server, "bob", sql.quick)).data.rows, quickRows);
    assertRecorded(under.replies, server.space);
  }));

  test("do not outlive a server that is killed", async () => {
    const workers = await onStage(config, async (server) => {
      assert.ok((await query(server, "ann", sql.quick)).ok);
      return children(server.pid);
    });
    assert.ok(workers.length > 0);
    await waitFor("the workers' end", () => workers.every((pid) => !existsSync(`/proc/${pid}`)));
  });
});

describe("a query past its deadline", () => {
  const short = configure({ security: { query_timeout_seconds: 1 } });
  after(() => short.remove());

  for (const name of ["endless", "stubborn"]) {
    test(name, () => onStage(short, async (server) => {
      assert.ok((await query(server, "ann", sql.quick)).ok);
      const began = Date.now();
      const reply = await query(server, "ann", sql[name]);
      const took = Date.now() - began;
      assert.equal(code(reply), "QUERY_TIMEOUT", JSON.stringify(reply));
      assert.ok(took >= 900 && took < 10000, `${took} ms`); // far from both what it asked for and never
      assert.deepEqual((await query(server, "ann", sql.quick)).data.rows, quickRows);
      const record = records(server.space).find((r) => r.audit_id === reply.audit_id);
      assert.equal(record.error_code, "QUERY_TIMEOUT");
      assert.ok(record.latency_ms < 5000, `${record.latency_ms} ms`);
    }));
  }
});

describe("a client that leaves", () => {
  const meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
  const body = (id, text, extra) => JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call",
    params: { name: "run_select_sql", arguments: { sql: text }, ...extra } });
  const recordOf = (server, id) => records(server.space).find((r) => r.request_id === id);

  test("modern: its query is cancelled (2.7, 3.3)", () => onStage(config, async (server) => {
    assert.ok((await query(server, "ann", sql.quick)).ok);
    const isBusy = busy(server);
    const leave = new AbortController();
    const asked = fetch(server.url + "/mcp", { method: "POST", signal: leave.signal, body: body("gone-1", sql.endless, { _meta: meta }),
      headers: { ...headers("ann"), "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "run_select_sql" } });
    await isBusy();
    leave.abort();
    await assert.rejects(asked);
    const record = await waitFor("its record", () => recordOf(server, "gone-1"));
    assert.equal(record.error_code, "CANCELLED");
    assert.deepEqual((await query(server, "ann", sql.quick)).data.rows, quickRows);
  }));

  test("legacy: its query runs on (2.7)", () => onStage(config, async (server) => {
    assert.ok((await query(server, "ann", sql.quick)).ok);
    const isBusy = busy(server);
    const leave = new AbortController();
    const asked = fetch(server.url + "/mcp", { method: "POST", headers: headers("ann"), signal: leave.signal, body: body("gone-2", sql.seconds) });
    await isBusy();
    assert.equal(recordOf(server, "gone-2"), undefined);
    leave.abort();
    await assert.rejects(asked);
    const record = await waitFor("its record", () => recordOf(server, "gone-2"));
    assert.equal(record.outcome, "success");
  }));

  test("legacy: one that only closes its sending side is answered", () => onStage(config, async (server) => {
    const text = body("half-1", sql.quick);
    const socket = connect({ port: Number(new URL(server.url).port), host: "127.0.0.1", allowHalfOpen: true });
    let said = "";
    const ended = new Promise((done, failed) => socket.on("data", (bytes) => { said += bytes; }).on("end", done).on("error", failed));
    socket.end(`POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer t-ann\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    await ended;
    assert.match(said, /^HTTP\/1\.1 200 /);
    assert.match(said, /2001000/);
  }));
});

describe("limits", () => {
  test("one query too many of a user is refused, another user's is not", async () => {
    const narrow = configure({ security: { max_concurrent_queries_per_user: 1 } });
    await onStage(narrow, async (server) => {
      assert.ok((await query(server, "ann", sql.quick)).ok);
      const isBusy = busy(server);
      const leave = new AbortController();
      const running = query(server, "ann", sql.seconds, leave.signal);
      await isBusy();
      assert.equal(code(await query(server, "ann", sql.quick)), "CONCURRENCY_LIMIT_EXCEEDED");
      assert.deepEqual((await query(server, "bob", sql.quick)).data.rows, quickRows);
      assert.ok((await call(server, "ann", "describe_table", { table: "numbers" })).ok);
      assert.ok((await running).ok);
      assert.deepEqual((await query(server, "ann", sql.quick)).data.rows, quickRows);
    });
    narrow.remove();
  });

  test("the fourth call of three a minute is refused, and told when to come back", async () => {
    const rare = configure({ roles: { any: {}, rare: { rate_limit: "3/minute" } }, roleOf: { cat: "rare" } });
    await onStage(rare, async (server) => {
      for (let i = 0; i < 3; i++) assert.ok((await call(server, "cat", "list_allowed_tables")).ok);
      const fourth = await call(server, "cat", "list_allowed_tables");
      assert.equal(code(fourth), "RATE_LIMIT_EXCEEDED");
      const seconds = fourth.error.retry_after_seconds;
      assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
      assert.ok((await call(server, "ann", "list_allowed_tables")).ok);
    });
    rare.remove();
  });
});

describe("the record", () => {
  test("survives kill -9 of the server under load", async () => {
    const space = workspace();
    const replies = [];
    for (let round = 0; round < 4; round++) {
      await onStage(config, async (server) => {
        const under = load(server, 8, mixed);
        await waitFor("replies", () => under.replies.length >= 150 + 75 * round);
        assert.deepEqual(await server.stop("SIGKILL"), { code: null, signal: "SIGKILL" });
        await under.stop();
        replies.push(...under.replies);
      }, { space });
      const found = verify(config, space);
      if (!found.ok) assert.match(found.text, /torn|not whole|last line/, found.text);
    }
    assertRecorded(replies, space);
    const server = await startServer({ config: config.dir, space });
    assert.ok((await query(server, "ann", sql.quick)).ok);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    const found = verify(config, space);
    assert.ok(found.ok, found.text);
    assertRecorded(replies, space);
    space.remove();
  });

  test("that cannot be written is no answer: a full disk", async () => {
    const paper = configure({ kind: "schema" });
    await onStage(paper, async (server) => {
      const replies = [];
      const ask = async () => {
        const reply = await call(server, "bob", "describe_table", { table: "numbers" });
        replies.push(reply);
        return reply;
      };
      const limit = (bytes) => execFileSync("prlimit", ["--pid", String(server.pid), `--fsize=${bytes}:`]);
      for (let i = 0; i < 5; i++) assert.ok((await ask()).ok);
      assert.equal((await ready(server)).code, 200);
      limit(statSync(join(server.space.dir, "logs/audit.jsonl")).size + 5000);
      await waitFor("the end of the disk", async () => code(await ask()) === "AUDIT_UNAVAILABLE");
      for (let i = 0; i < 20; i++) {
        const reply = await ask();
        assert.equal(code(reply), "AUDIT_UNAVAILABLE");
        assert.equal(reply.data, null);
      }
      const bad = await ready(server);
      assert.equal(bad.code, 503);
      assert.equal(bad.audit.ready, false);
      assert.ok(bad.audit.message.length > 0);
      assertRecorded(replies, server.space);
      const full = verify(paper, server.space);
      assert.ok(full.ok, full.text);

      limit("unlimited");
      await waitFor("an answer again", async () => (await ask()).ok);
      await waitFor("readiness", async () => (await ready(server)).code === 200);
      assertRecorded(replies, server.space);
      assert.deepEqual(await server.stop("SIGTERM"), { code: 0, signal: null });
    });
    paper.remove();
  });

  test("of two servers in one directory: a file each, one proof", async () => {
    const space = workspace();
    await onStage(config, (one) => onStage(config, async (two) => {
      const replies = [];
      for (const server of [one, two, two, one])
        replies.push(await call(server, "bob", "describe_table", { table: "numbers" }));
      const names = readdirSync(join(space.dir, "logs")).filter((name) => name.endsWith(".jsonl")).sort();
      assert.deepEqual(names, [`audit.${two.pid}.jsonl`, "audit.jsonl"]);
      assertRecorded(replies, space);
      assert.deepEqual([(await two.stop()).code, (await one.stop()).code], [0, 0]);
    }, { space }), { space });
    const found = verify(config, space);
    assert.ok(found.ok, found.text);
    assert.match(found.text, /4 records in 2 files/);
    space.remove();
  });
});

describe("SIGTERM", () => {
  test("lets every query that was asked before be answered", async () => {
    const wide = configure({ security: { max_concurrent_queries_per_user: 100 } });
    const space = workspace();
    await onStage(wide, async (server) => {
      assert.ok((await query(server, "ann", sql.quick)).ok);
      const isBusy = busy(server, 2);
      const asked = Array.from({ length: 6 }, () => query(server, "ann", `${sql.endless} AND c.n < 30`));
      await isBusy();
      const gone = server.stop();
      const replies = await Promise.all(asked);
      for (const reply of replies) assert.ok(reply.ok, JSON.stringify(reply));
      assert.equal(new Set(replies.map((r) => JSON.stringify(r.data.rows))).size, 1);
      assert.deepEqual(await gone, { code: 0, signal: null });
      assertRecorded(replies, space);
      await assert.rejects(query(server, "ann", sql.quick));
    }, { space });
    assert.ok(verify(wide, space).ok);
    space.remove();
    wide.remove();
  });

  test("under load of short calls: each is answered whole or was never taken", async () => {
    const space = workspace();
    await onStage(config, async (server) => {
      const under = load(server, 8, mixed);
      await waitFor("replies", () => under.replies.length >= 200);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      await under.stop();
      assertRecorded(under.replies, space);
      const acknowledged = new Set(under.replies.map((r) => r.audit_id));
      const unheard = records(space).filter((r) => r.tool_name && !acknowledged.has(r.audit_id));
      assert.deepEqual(unheard.map((r) => r.audit_id), [], "worked on, recorded, and not answered");
    }, { space });
    const found = verify(config, space);
    assert.ok(found.ok, found.text);
    space.remove();
  });
});
