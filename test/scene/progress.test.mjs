// How far a query is, as the engine counts it: told while it runs, to who asked for it, and not where the
// count would be of rows that the caller may not see.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startServer } from "../e2e/weir.mjs";
import { configure, records, waitFor } from "./faults.mjs";
import { ask, modern, notice, open, request, select, session } from "./wire.mjs";

// bob sees of the same table only some rows.
const config = configure({ roles: { any: {}, clerk: {} }, roleOf: { bob: "clerk" } });
let server;

before(async () => {
  const file = join(config.dir, "policy.yaml"), policy = JSON.parse(readFileSync(file));
  policy.tables["shop.many"] = { row_policies: [{ role: "clerk", predicate: "n >= 0" }] };
  writeFileSync(file, JSON.stringify(policy));
  writeFileSync(join(config.dir, "data/shop.many.csv"), "n\n" + Array.from({ length: 1000000 }, (_, i) => i).join("\n") + "\n");
  server = await startServer({ config: config.dir });
});
after(async () => { await server.stop(); config.remove(); });

// Many seconds of it, told of at each of some 120,000 rows: the scene ends it.
const long = select("SELECT max(md5(repeat(CAST(n AS STRING), 60))) AS m FROM many");
const watched = (token) => ({ ...long, _meta: { progressToken: token } });
const told = (stream) => stream.events.map((e) => e.json).filter((m) => m?.method === "notifications/progress").map((m) => m.params);
const recordOf = (id) => waitFor("its record", () => records(server.space).find((r) => r.request_id === id));

async function twoSteps(stream) {
  await stream.event(() => told(stream).length >= 2);
  assert.equal(stream.isOver, false, stream.body);
}

function assertGrows(steps, token) {
  assert.ok(steps.length >= 2);
  steps.forEach((step, i) => {
    assert.deepEqual([step.progressToken, step.total], [token, 100]);
    assert.ok(step.progress > (i > 0 ? steps[i - 1].progress : 0) && step.progress < 100, JSON.stringify(steps));
  });
}

test("grows, and the query can be cancelled; of hidden rows nothing is told", async () => {
  const [hers, his] = [await session(server, "ann"), await session(server, "bob")];
  const some = await open(server, "bob", { headers: his, body: request("some", "tools/call", watched("b")) });
  const all = await open(server, "ann", { headers: hers, body: request("all", "tools/call", watched(7)) });
  await twoSteps(all);
  for (const [user, headers, stream, id] of [["ann", hers, all, "all"], ["bob", his, some, "some"]]) {
    assert.equal((await ask(server, user, { headers, body: notice("notifications/cancelled", { requestId: id }) })).status, 202);
    await stream.ended;
    assert.deepEqual(stream.answers(id), []);
    assert.equal((await recordOf(id)).error_code, "CANCELLED");
  }
  assertGrows(told(all), 7);
  assert.deepEqual(told(some), []);
});

test("modern too; who leaves has cancelled", async () => {
  const { headers, body } = modern("m", "tools/call", long);
  body.params._meta.progressToken = "p";
  const stream = await open(server, "ann", { headers, body });
  await twoSteps(stream);
  stream.leave();
  assert.equal((await recordOf("m")).error_code, "CANCELLED");
  assertGrows(told(stream), "p");
});
