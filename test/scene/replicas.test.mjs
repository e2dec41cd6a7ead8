// Replicas on one store: a session is at home in all of them, and a call outlives the one that runs it.
// Sections are those of the protocol map (mcp-protocol.md).
//
// The kills are as many as WEIR_KILLS says (20), at moments that follow from WEIR_SEED, which is printed.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fixture, noFixture, startServer, workspace } from "../e2e/weir.mjs";
import { busy, configure, query, quickRows, records, sql, waitFor } from "./faults.mjs";
import { ask, modern, notice, open, request, select, session } from "./wire.mjs";

const config = configure({ security: { max_concurrent_queries_per_user: 1000 } });
const paper = configure({ kind: "schema" });
after(() => { config.remove(); paper.remove(); });

// Starts replicas on a store that they share, and ends them all.
async function onReplicas(scene, { from = config, program } = {}) {
  const space = workspace();
  const all = [];
  const start = async () => {
    const one = await startServer({ config: from.dir, space, program });
    all.push(one);
    return one;
  };
  try {
    await scene(start, space);
  } finally {
    await Promise.all(all.map((one) => one.stop("SIGKILL")));
    space.remove();
  }
}

const second = `${sql.endless} AND c.n < 20`;
const call = (id, text) => request(id, "tools/call", select(text));
const follow = (on, headers, last) => ask(on, "ann", { method: "GET", headers: { ...headers, "Last-Event-ID": last } });
const recordOf = (space, id) => waitFor("its record", () => records(space).find((r) => r.request_id === id));

describe("two replicas on one store (3.2)", () => {
  test("carry on each other's sessions, and end them", () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann", "2025-06-18");
    const reply = await ask(two, "ann", { headers, body: call(1, sql.quick) });
    assert.deepEqual(reply.answers(1)[0].result.structuredContent.data.rows, quickRows);
    assert.equal((await ask(two, "bob", { headers, body: request(2, "ping") })).status, 404);
    assert.equal((await ask(two, "ann", { method: "DELETE", headers })).status, 204);
    assert.equal((await ask(one, "ann", { headers, body: request(3, "ping") })).status, 404);
  }));

  test("tell the answer of a call that the other one runs, and cancel it", () => onReplicas(async (start, space) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann");
    let isBusy = busy(one);
    let reply = await open(one, "ann", { headers, body: call("told", second) });
    let priming = await reply.event((e) => e.id);
    await isBusy();
    reply.leave();
    assert.equal((await follow(two, headers, priming.id)).answers("told").length, 1);
    assert.equal(records(space).filter((r) => r.request_id === "told").length, 1, "it ran once");

    isBusy = busy(one);
    reply = await open(one, "ann", { headers, body: call("ended", sql.endless) });
    priming = await reply.event((e) => e.id);
    await isBusy();
    const cancelled = notice("notifications/cancelled", { requestId: "ended" });
    assert.equal((await ask(two, "ann", { headers, body: cancelled })).status, 202);
    await reply.ended;
    assert.deepEqual(reply.answers("ended"), []);
    assert.deepEqual((await follow(two, headers, priming.id)).answers("ended"), []);
    assert.equal((await recordOf(space, "ended")).error_code, "CANCELLED");
    assert.equal(records(space).filter((r) => r.request_id === "ended").length, 1, "it did not run again");
  }));

  // Of a revision whose calls are not journalled.
  test("cancel by its name what the other one runs (2.7)", () => onReplicas(async (start, space) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann", "2025-06-18");
    const isBusy = busy(one);
    const asked = ask(one, "ann", { headers, body: call("named", sql.endless) }); // nothing comes before its end
    await isBusy();
    const cancelled = (requestId) => notice("notifications/cancelled", { requestId });
    for (const id of ["no such", "named"]) assert.equal((await ask(two, "ann", { headers, body: cancelled(id) })).status, 202);
    assert.deepEqual((await asked).answers("named"), []);
    assert.equal((await recordOf(space, "named")).error_code, "CANCELLED");
  }));

  test("end a session's streams, wherever they are (3.2)", () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann"), others = await session(one, "ann");
    const streams = [];
    for (const server of [one, two]) streams.push(await open(server, "ann", { method: "GET", headers }));
    const other = await open(two, "ann", { method: "GET", headers: others });
    assert.equal((await ask(two, "ann", { method: "DELETE", headers })).status, 204);
    await Promise.all(streams.map((stream) => stream.ended));
    assert.equal(other.isOver, false);
    other.leave();
  }));

  test("tell each other's listeners what has changed (2.2, 2.8)", { skip: noFixture }, () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann");
    const stream = await open(two, "ann", { method: "GET", headers });
    const listen = await open(two, "ann", modern("l", "subscriptions/listen", { notifications: { toolsListChanged: true } }));
    await listen.event((e) => e.json?.method === "notifications/subscriptions/acknowledged");
    const trigger = { name: "test_trigger_tool_change", arguments: {} };
    assert.ok((await ask(one, "ann", modern("t", "tools/call", trigger))).answers("t")[0].result);
    const isTold = (e) => e.json?.method === "notifications/tools/list_changed";
    await Promise.all([stream, listen].map((s) => s.event(isTold)));
    assert.deepEqual([stream, listen].map((s) => s.events.filter(isTold).length), [1, 1]);
    stream.leave();
    listen.leave();
  }, { from: paper, program: fixture }));

  test("bring a question's answer to the one that asked (2.9)", { skip: noFixture }, () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann", "2025-11-25", { elicitation: {} });
    const body = request("asks", "tools/call", { name: "test_elicitation", arguments: { message: "Who?" } });
    const reply = await open(one, "ann", { headers, body });
    const question = await reply.event((e) => e.json?.method === "elicitation/create");
    const answer = { jsonrpc: "2.0", id: question.json.id, result: { action: "accept", content: { username: "Ann", email: "a@example.com" } } };
    assert.equal((await ask(two, "bob", { headers, body: answer })).status, 404);
    assert.equal((await ask(two, "ann", { headers, body: answer })).status, 202);
    await reply.ended;
    assert.match(JSON.stringify(reply.answers("asks")[0].result), /Ann/);
  }, { from: paper, program: fixture }));

  test("ask anew when the one that asked is killed (2.9)", { skip: noFixture }, () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann", "2025-11-25", { elicitation: {} });
    const body = request("asks", "tools/call", { name: "test_elicitation", arguments: { message: "Who?" } });
    const isQuestion = (e) => e.json?.method === "elicitation/create";
    const lost = await open(one, "ann", { headers, body });
    const first = await lost.event(isQuestion);
    await one.stop("SIGKILL");
    await lost.ended;
    const reply = await open(two, "ann", { method: "GET", headers: { ...headers, "Last-Event-ID": lost.lastId } });
    const again = await reply.event(isQuestion);
    assert.notEqual(again.json.id, first.json.id);
    const answer = { jsonrpc: "2.0", id: again.json.id, result: { action: "decline" } };
    assert.equal((await ask(two, "ann", { headers, body: answer })).status, 202);
    await reply.ended;
    assert.deepEqual([lost.answers("asks").length, reply.answers("asks").length], [0, 1]);
  }, { from: paper, program: fixture }));

  test("one that was thought dead and comes back has nothing to say", () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann");
    const isBusy = busy(one);
    const reply = await open(one, "ann", { headers, body: call("zombie", second) });
    const priming = await reply.event((e) => e.id);
    await isBusy();
    process.kill(one.pid, "SIGSTOP");
    const other = await follow(two, headers, priming.id);
    process.kill(one.pid, "SIGCONT");
    await reply.ended;
    assert.deepEqual([reply.answers("zombie").length, other.answers("zombie").length], [0, 1]);
    assert.deepEqual((await follow(two, headers, priming.id)).answers("zombie"), other.answers("zombie"));
  }));
});

describe("a replica that ends", () => {
  const hasty = configure({ weir: { http: { drain_timeout: "100ms" }, limits: { task_after: "50ms" } } });
  const hastyPaper = configure({ kind: "schema", weir: { http: { drain_timeout: "100ms" }, limits: { task_after: "50ms" } } });
  after(() => { hasty.remove(); hastyPaper.remove(); });
  const knows = { extensions: { "io.modelcontextprotocol/tasks": {} } };
  const slowly = (seconds) => ({ name: "delete_slowly", arguments: { seconds } });
  const getTask = async (server, taskId) => (await ask(server, "ann", modern("g", "tasks/get", { taskId }, knows))).answers("g")[0].result;
  const endOf = (server, taskId) => waitFor("the task's end", async () => {
    const task = await getTask(server, taskId);
    return task.status === "working" ? undefined : task;
  });

  test("leaves to the other one what its client can come back for", () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann");
    const isBusy = busy(one, 2);
    const reply = await open(one, "ann", { headers, body: call("left", sql.seconds) });
    const made = (await ask(one, "bob", modern("t", "tools/call", select(sql.seconds), knows))).answers("t")[0].result;
    const priming = await reply.event((e) => e.id);
    await isBusy();
    assert.deepEqual(await one.stop(), { code: 0, signal: null });
    await reply.ended;
    assert.deepEqual(reply.answers("left"), []);
    const [again] = (await follow(two, headers, priming.id)).answers("left");
    assert.equal(again.result.structuredContent.ok, true, JSON.stringify(again));
    const task = await waitFor("the task's end", async () => {
      const now = (await ask(two, "bob", modern("g", "tasks/get", { taskId: made.taskId }, knows))).answers("g")[0].result;
      return now.status === "working" ? undefined : now;
    });
    assert.equal(task.result?.structuredContent.ok, true, JSON.stringify(task));
  }, { from: hasty }));

  test("says itself that it ended what may not run twice", { skip: noFixture }, () => onReplicas(async (start) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann");
    const reply = await open(one, "ann", { headers, body: request("d", "tools/call", slowly(3000)) });
    await reply.event((e) => e.id);
    const made = (await ask(one, "ann", modern("t", "tools/call", slowly(3000), knows))).answers("t")[0].result;
    assert.deepEqual(await one.stop(), { code: 0, signal: null });
    await reply.ended;
    assert.equal(reply.answers("d")[0].result.structuredContent.error.code, "CANCELLED", reply.body);
    assert.equal((await getTask(two, made.taskId)).result.structuredContent.error.code, "CANCELLED");
  }, { from: hastyPaper, program: fixture }));

  test("and is killed: CALL_LOST, once, for what may not run twice", { skip: noFixture }, () => onReplicas(async (start, space) => {
    const [one, two] = [await start(), await start()];
    const headers = await session(one, "ann");
    const reply = await open(one, "ann", { headers, body: request("d", "tools/call", slowly(3000)) });
    const priming = await reply.event((e) => e.id);
    const made = (await ask(one, "ann", modern("t", "tools/call", slowly(3000), knows))).answers("t")[0].result;
    await one.stop("SIGKILL");
    await reply.ended;
    const comeBack = await Promise.all([1, 2].map(() => follow(two, headers, priming.id)));
    for (const again of [...comeBack, await follow(two, headers, priming.id)]) {
      assert.equal(again.answers("d").length, 1);
      assert.deepEqual(again.answers("d"), comeBack[0].answers("d"));
      assert.equal(again.answers("d")[0].error.data.code, "CALL_LOST");
    }
    assert.deepEqual((await follow(two, headers, comeBack[0].lastId)).answers("d"), []);
    const task = await endOf(two, made.taskId);
    assert.deepEqual([task.status, task.error.data.code], ["failed", "CALL_LOST"]);
    for (const id of ["d", "t"])
      assert.deepEqual(records(space).filter((r) => r.request_id === id).map((r) => r.error_code), ["CALL_LOST"]);
  }, { from: hastyPaper, program: fixture }));
});

// -- kills ------------------------------------------------------------------------------------

// mulberry32: the same moments for the same seed.
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// What a client does that was left: with an event's id it comes back for the rest, without one it was
// never promised anything, and asks again. All responses that it ever saw.
async function persist(state, first) {
  const { id, headers, body, living } = state;
  const answers = [];
  let reply = first, last, turns = 0;
  for (;; turns++) {
    const ended = await reply?.ended;
    answers.push(...(ended?.answers(id) ?? []));
    last = ended?.lastId ?? last;
    if (answers.length > 0) break;
    const options = last ? { method: "GET", headers: { ...headers, "Last-Event-ID": last } } : { headers, body };
    reply = await open(living(), "ann", options).catch(() => wait(20));
  }
  const more = last === undefined ? [] : (await follow(living(), headers, last)).answers(id);
  return { answers: [...answers, ...more], how: turns === 0 ? "answered before" : last ? "carried on" : "asked again" };
}

test("a replica that runs a call is killed: the call has one answer", { timeout: 600000 }, (t) => onReplicas(async (start, space) => {
  const kills = Number(process.env.WEIR_KILLS ?? 20);
  const seed = Number(process.env.WEIR_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const roll = dice(seed);
  const work = `${sql.endless} AND c.n < 6`;
  const measured = await start();
  const began = Date.now();
  const right = (await query(measured, "ann", work)).data.rows;
  const took = Date.now() - began;
  t.diagnostic(`WEIR_SEED=${seed} WEIR_KILLS=${kills}, calls of ${took} ms`);
  let stays = await start();
  const warm = [start(), start()];
  const clients = [];
  for (let i = 0; i < kills; i++) {
    const runs = await warm.shift();
    warm.push(start());
    const id = `kill-${i}`;
    const headers = await session(runs, "ann");
    const body = call(id, work);
    const first = await open(runs, "ann", { headers, body });
    await wait(roll() * took);
    await runs.stop("SIGKILL");
    clients.push(persist({ id, headers, body, living: () => stays }, first));
    if (i % 10 === 9) { // and now and then the one that carries on
      const before = stays;
      stays = await start();
      await before.stop("SIGKILL");
    }
  }
  const tally = {};
  for (const { answers, how } of await Promise.all(clients)) {
    tally[how] = (tally[how] ?? 0) + 1;
    assert.equal(answers.length, 1, JSON.stringify(answers));
    assert.deepEqual(answers[0].result.structuredContent?.data?.rows, right, JSON.stringify(answers[0]));
  }
  t.diagnostic(`${kills} kills, one answer each: ${Object.entries(tally).map(([how, n]) => `${n} ${how}`).join(", ")}`);
  await Promise.all(warm);
}));
