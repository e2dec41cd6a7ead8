// Replicas on one real Redis: what is good once is good once in all of them, a limit is exact over all of
// them, also when Redis is killed and comes back; and every scene of replicas.test.mjs once more.
import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { startServer, workspace } from "../e2e/weir.mjs";
import { call, configure, ready, waitFor } from "./faults.mjs";
import { noRedis, startRedis } from "./redis.mjs";
import { ask, request, session } from "./wire.mjs";

const secret = randomBytes(32).toString("hex");
const redis = noRedis ? undefined : await startRedis();
after(() => redis?.remove());

// Two replicas as on two machines: they share Redis, the secret and the configuration, and no directory.
let scenes = 0;
async function onTwo(scene) {
  const config = configure({
    kind: "schema", roles: { any: {}, counted: { rate_limit: "100/minute" } }, roleOf: { bob: "counted" },
    weir: {
      auth: { gateway_header_enabled: true, gateway_signature_secret: secret },
      store: { redis_prefix: `{scene-${process.pid}-${scenes++}}:`, wait: "2s" },
    },
  });
  const spaces = [workspace(), workspace()];
  const servers = [];
  try {
    for (const space of spaces) {
      Object.assign(space.env, { REDIS_URL: redis.url, WEIR_SECRET: secret });
      servers.push(await startServer({ config: config.dir, space }));
    }
    await scene(...servers);
  } finally {
    await Promise.all(servers.map((server) => server.stop("SIGKILL")));
    for (const space of spaces) space.remove();
    config.remove();
  }
}

const tables = (server, user) => call(server, user, "list_allowed_tables");
const code = (reply) => reply.error?.code;

// A call as a gateway makes it for ann, with a nonce of its own or the one given.
function signed(nonce = randomBytes(16).toString("hex")) {
  const body = JSON.stringify({ tool: "list_allowed_tables", arguments: {} });
  const time = String(Math.floor(Date.now() / 1000));
  const digest = createHash("sha256").update(body).digest("hex");
  const text = ["v1", "POST", "/mcp", time, nonce, "ann", "", "", digest].join("\n");
  return { method: "POST", body, headers: {
    "Content-Type": "application/json", "X-User-Id": "ann", "X-Timestamp": time, "X-Nonce": nonce,
    "X-Signature": createHmac("sha256", secret).update(text).digest("hex") } };
}
const send = async (server, options) => (await fetch(`${server.url}/mcp`, options)).status;

describe("two replicas on one Redis", { skip: noRedis }, () => {
  test("carry on each other's sessions", () => onTwo(async (one, two) => {
    const headers = await session(one, "ann", "2025-06-18");
    assert.equal((await ask(two, "ann", { headers, body: request(1, "ping") })).status, 200);
    assert.equal((await ask(two, "bob", { headers, body: request(2, "ping") })).status, 404);
    assert.equal((await ask(two, "ann", { method: "DELETE", headers })).status, 204);
    assert.equal((await ask(one, "ann", { headers, body: request(3, "ping") })).status, 404);
  }));

  test("take a nonce once, whoever is asked first", () => onTwo(async (one, two) => {
    for (let i = 0; i < 20; i++) {
      const options = signed();
      const statuses = await Promise.all([one, two, one, two].map((server) => send(server, options)));
      assert.deepEqual(statuses.sort(), [200, 401, 401, 401]);
    }
  }));

  test("let exactly 100 of 300 calls a minute through", () => onTwo(async (one, two) => {
    const replies = [];
    const caller = async (i) => {
      for (let k = 0; k < 25; k++) replies.push(await tables((i + k) % 2 ? one : two, "bob"));
    };
    await Promise.all(Array.from({ length: 12 }, (_, i) => caller(i)));
    const admitted = replies.filter((reply) => reply.ok);
    const refused = replies.filter((reply) => code(reply) === "RATE_LIMIT_EXCEEDED");
    assert.deepEqual([admitted.length, refused.length], [100, 200], JSON.stringify(replies.map(code)));
    for (const { error } of refused) assert.ok(error.retry_after_seconds >= 1 && error.retry_after_seconds <= 60);
  }));
});

describe("Redis is killed and comes back", { skip: noRedis }, () => {
  test("nothing is used twice, and health says so", () => onTwo(async (one, two) => {
    const headers = await session(one, "ann", "2025-06-18");
    const used = signed();
    assert.equal(await send(one, used), 200);
    for (let i = 0; i < 100; i++) assert.ok((await tables(i % 2 ? one : two, "bob")).ok);

    await redis.stop();
    await waitFor("health to tell", async () => (await ready(one)).code === 503 && (await ready(two)).code === 503);
    const { store } = await ready(one);
    assert.equal(store.ready, false);
    assert.match(store.message, /^the store 'redis:\/\/127\.0\.0\.1:\d+\/2' cannot be used: Connection refused$/);
    assert.notEqual(await send(two, used), 200); // closed: nobody knows whether it was used
    assert.notEqual(await send(two, signed()), 200);
    assert.equal(code(await tables(one, "bob")), "STORE_UNAVAILABLE");
    assert.ok((await tables(one, "cat")).ok); // what needs no store goes on

    assert.ok(await redis.start());
    await waitFor("health to return", async () => (await ready(one)).code === 200 && (await ready(two)).code === 200);
    assert.equal(await send(two, used), 401);
    assert.equal(await send(two, signed()), 200);
    assert.equal(code(await tables(two, "bob")), "RATE_LIMIT_EXCEEDED");
    assert.equal((await ask(two, "ann", { headers, body: request(1, "ping") })).status, 200);
  }));

  test("under load no nonce is good twice", () => onTwo(async (one, two) => {
    let good = 0;
    const caller = async () => {
      for (let i = 0; i < 60; i++) {
        const options = signed();
        const statuses = await Promise.all([one, two].map((server) => send(server, options)));
        assert.ok(statuses.filter((status) => status === 200).length <= 1, String(statuses));
        good += statuses.includes(200);
      }
    };
    const callers = Promise.all(Array.from({ length: 4 }, caller));
    for (let i = 1; i <= 3; i++) {
      await waitFor("some to be used", () => good >= 10 * i);
      await redis.stop();
      assert.ok(await redis.start());
    }
    await callers;
  }));
});

// Their replicas share a directory, and now a Redis too: that is what holds their sessions.
if (!noRedis) {
  process.env.REDIS_URL = redis.url;
  process.env.WEIR_KILLS ??= "3";
  await import("./replicas.test.mjs");
}
