// Rows that did not fit a reply are read on from where it was cut: whole, in order, by who asked and by
// nobody else.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startServer } from "../e2e/weir.mjs";
import { call, configure, headers, query, records, waitFor } from "./faults.mjs";

// ann and bob have the same rights, cat has fewer. Answers are cached, so that they could be mixed up.
const config = configure({
  roles: { any: {}, few: { allowed_tools: ["preview_table"] } }, roleOf: { cat: "few" },
  weir: { MCP_RESPONSE_SIZE_CONFIG: { token_limit: 1500 }, MCP_CACHE_CONFIG: { enabled: true } } });
let server;
before(async () => { server = await startServer({ config: config.dir }); });
after(async () => { await server.stop(); config.remove(); });

const all = "SELECT n FROM numbers ORDER BY n LIMIT 2000";
const gone = "INVALID_ARGUMENT";
const on = (user, next) => call(server, user, "run_select_sql", { result: next });

async function rpc(user, method, params) {
  const reply = await fetch(server.url + "/mcp", { method: "POST", headers: headers(user),
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  return reply.json();
}

const read = (user, uri) => rpc(user, "resources/read", { uri });

async function cut(user, sql = all) {
  const reply = await query(server, user, sql);
  assert.ok(reply.ok, JSON.stringify(reply.error));
  assert.equal(reply.data.truncated, true);
  assert.match(reply.data.note, /^Cut to fit: [0-9]+ of 2000 rows .* 'next', or give it to run_select_sql as 'result'/);
  assert.equal(reply.data.next, `weir://result/${reply.audit_id}?from=${reply.data.row_count}`);
  return reply;
}

function edit(name, change) {
  const file = join(config.dir, name), content = JSON.parse(readFileSync(file));
  change(content);
  writeFileSync(file, JSON.stringify(content));
}

async function reload() {
  const count = () => server.log().split('"event":"reload').length;
  const before = count();
  process.kill(server.pid, "SIGHUP");
  await waitFor("a reload", () => count() > before);
}

describe("a reply that was cut", () => {
  test("is read on to the end, each page within the limit, as resource and by the tool", async () => {
    const first = await cut("ann");
    const rows = [...first.data.rows];
    let pages = 0;
    for (let next = first.data.next; next; pages++) {
      let data;
      if (pages % 2 === 0) {
        const { result } = await read("ann", next);
        data = JSON.parse(result.contents[0].text);
        assert.deepEqual([result.contents[0].uri, result.contents[0].mimeType], [next, "application/json"]);
      } else {
        const reply = await on("ann", next);
        assert.ok(JSON.stringify(reply).length <= 1500 * 3.5);
        assert.deepEqual([reply.metadata.data_is_untrusted, reply.metadata.row_count], [true, reply.data.row_count]);
        data = reply.data;
      }
      assert.deepEqual(data.columns, first.data.columns);
      assert.equal(data.row_count, data.rows.length);
      assert.equal(data.truncated, data.next !== undefined);
      rows.push(...data.rows);
      next = data.next;
    }
    assert.ok(pages >= 2);
    assert.deepEqual(rows, Array.from({ length: 2000 }, (_, i) => [i + 1]));
  });

  test("is read from any row, and from the first when none is named", async () => {
    const { audit_id: id } = await cut("ann");
    for (const [address, n] of [[`weir://result/${id}`, 1], [`weir://result/${id}?from=1998`, 1999], [`${id}?from=7`, 8]])
      assert.deepEqual((await on("ann", address)).data.rows[0], [n], address);
    const last = await on("ann", `${id}?from=1998`);
    assert.deepEqual([last.data.rows.length, last.data.truncated, last.data.next], [2, false, undefined]);
    assert.deepEqual((await on("ann", `${id}?from=2000`)).data.rows, []);
    assert.deepEqual((await on("ann", `${id}?from=18446744073709551615`)).data.rows, []);
  });

  test("its pages are on record under its id", async () => {
    const { data, audit_id: id } = await cut("ann");
    const page = await on("ann", data.next);
    const record = records(server.space).find((r) => r.audit_id === page.audit_id);
    assert.equal(record.tool_name, "run_select_sql");
    assert.ok(JSON.stringify(record).includes(id));
  });

  test("a preview, too", async () => {
    const reply = await call(server, "ann", "preview_table", { table: "numbers", limit: 2000 });
    assert.equal(reply.data.truncated, true);
    assert.ok((await on("ann", reply.data.next)).data.row_count > 0);
  });

  test("names nothing to who may not read it", async () => {
    const reply = await call(server, "cat", "preview_table", { table: "numbers", limit: 2000 });
    assert.deepEqual([reply.data.truncated, reply.data.next], [true, undefined]);
    assert.match(reply.data.note, /ORDER BY a unique key/);
    const { result } = await rpc("cat", "resources/templates/list", {});
    assert.equal(result.resourceTemplates.some((t) => t.name === "result"), false);
  });
});

test("the template is listed", async () => {
  const { result } = await rpc("ann", "resources/templates/list", {});
  assert.equal(result.resourceTemplates.find((t) => t.name === "result").uriTemplate, "weir://result/{id}{?from}");
});

describe("foreign, expired, changed or never there: the same words", () => {
  const never = "weir://result/00000000-0000-4000-8000-000000000000?from=1";

  async function assertGone(user, next) {
    const [refused, unknown] = [await on(user, next), await on(user, never)];
    assert.equal(refused.error.code, gone);
    assert.deepEqual(refused.error, unknown.error);
    const [page, none] = [await read(user, next), await read(user, never)];
    assert.deepEqual([page.error.code, page.error.message], [none.error.code, none.error.message]);
    assert.equal(page.error.message, "the resource is not there");
  }

  test("another principal of the same rights, whose own answer names another address", async () => {
    const [hers, his] = [await cut("ann"), await cut("bob")];
    assert.notEqual(hers.data.next, his.data.next);
    assert.ok((await on("ann", hers.data.next)).ok, "and a page that she has read is in nobody's cache");
    await assertGone("bob", hers.data.next);
    await assertGone("ann", his.data.next);
  });

  for (const address of ["x", "weir://result/", "weir://table/shop.numbers", "00000000-0000-4000-8000-000000000000?to=1",
    "00000000-0000-4000-8000-000000000000?from=-1", "00000000-0000-4000-8000-000000000000?from="])
    test(`no address: ${address}`, async () => assert.equal((await on("ann", address)).error.code, gone));

  test("either a statement or a result", async () => {
    const both = await call(server, "ann", "run_select_sql", { sql: all, result: never });
    assert.match(both.error.message, /not both/);
    const neither = await call(server, "ann", "run_select_sql", {});
    assert.match(neither.error.message, /needs the argument 'sql'/);
  });

  test("a policy that changed", async () => {
    const { data } = await cut("ann");
    assert.ok((await on("ann", data.next)).ok);
    edit("policy.yaml", (p) => { p.tables["shop.numbers"] = { denied_columns: ["n"] }; });
    await reload();
    await assertGone("ann", data.next);
    edit("policy.yaml", (p) => { p.tables["shop.numbers"] = {}; });
    await reload();
  });

  test("its time", async () => {
    edit("weir.yaml", (w) => { w.replies = { keep_ttl: "1s" }; });
    await reload();
    const { data } = await cut("ann");
    await waitFor("its end", async () => (await on("ann", data.next)).error?.code === gone);
    await assertGone("ann", data.next);
  });

  test("nothing is kept where the settings say so, or where it is too much", async () => {
    for (const replies of [{ keep_ttl: "0s" }, { keep_max_size: "10" }]) {
      edit("weir.yaml", (w) => { w.replies = replies; });
      await reload();
      const { data } = await query(server, "ann", all);
      assert.deepEqual([data.truncated, data.next], [true, undefined]);
    }
    edit("weir.yaml", (w) => { w.replies = { keep_max_size: "4000" }; });
    await reload();
    let { data } = await query(server, "ann", all), n = data.row_count;
    for (; data.next; n += data.row_count) data = (await on("ann", data.next)).data;
    assert.equal(data.truncated, true);
    assert.match(data.note, new RegExp(`^${n} of at least ${n} rows were read. The rows behind were not kept`));
  });
});
