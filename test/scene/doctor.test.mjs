// weir doctor on real deployments: good ones, and ones that are wrong in one thing each.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { binary, root, startServer, workspace } from "../e2e/weir.mjs";

describe("doctor", () => {
  let space, config;
  before(() => { space = workspace(); });
  after(() => space.remove());

  function deployment() {
    config = mkdtempSync(join(tmpdir(), "weir-doctor-"));
    cpSync(join(root, "config/demo"), config, { recursive: true });
    for (const name of ["", "weir.yaml", "auth.yaml", "enterprise.yaml", "policy.yaml", "security.yaml"])
      chmodSync(join(config, name), name === "" ? 0o700 : 0o600);
    return config;
  }

  function doctor(dir = config, env = {}) {
    const ran = spawnSync(binary, ["doctor", "--config", dir],
      { cwd: space.dir, env: { ...space.env, ...env }, encoding: "utf8", timeout: 60000 });
    return { status: ran.status, text: ran.stdout, wrong: ran.stderr };
  }

  function edit(name, from, to) {
    const path = join(config, name);
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(from));
    writeFileSync(path, text.replace(from, to));
  }

  test("the demo is well, and nothing is made by looking", () => {
    deployment();
    const { status, text, wrong } = doctor();
    assert.equal(status, 0, text + wrong);
    assert.match(text, /^ok +configuration .*policy [0-9a-f]{12}$/m);
    assert.match(text, /^ok +tools .*role data_analyst: 4 tools, \d+ bytes, about \d+ tokens$/m);
    assert.match(text, /^ok +tools .*toolset warehouse: 4 tools, \d+ bytes, about \d+ tokens$/m);
    assert.match(text, /^doctor: 0 serious, \d+ warnings?, \d+ notes?, \d+ good$/m);
    assert.equal(existsSync(space.env.LOGS_DIRECTORY), false);
    assert.equal(existsSync(space.env.STATE_DIRECTORY), false);
  });

  test("after a server ran, backends and store answer", async () => {
    deployment();
    const server = await startServer({ config, space });
    const running = doctor();
    await server.stop();
    for (const { status, text } of [running, doctor()]) {
      assert.equal(status, 0, text);
      assert.match(text, /^ok +backends +demo: of kind duckdb, is ready$/m);
      assert.match(text, /^ok +store .*can be read and written$/m);
      assert.match(text, /^ok +sandbox +landlock \d+, seccomp$/m);
    }
  });

  const rows = [
    ["a wrong configuration", () => edit("weir.yaml", "kind: duckdb", "kind: duckdbx"), 1, /^SERIOUS +configuration .*weir\.yaml:\d+:\d+/m],
    ["a policy that anybody may write", () => chmodSync(join(config, "policy.yaml"), 0o666), 1, /^SERIOUS +files .*policy\.yaml: everybody may write it$/m],
    ["a policy that its group may write", () => chmodSync(join(config, "policy.yaml"), 0o660), 0, /^warning +files .*policy\.yaml: its group may write it$/m],
    ["tokens that anybody may read", () => chmodSync(join(config, "auth.yaml"), 0o644), 0, /^warning +files +everybody may read .*auth\.yaml$/m],
    ["a token in plain text", () => appendFileSync(join(config, "auth.yaml"), "  plain-secret:\n    user_id: ann\n"), 0, /^warning +configuration .*auth\.yaml:\d+:\d+: warning: the token of 'ann' stands here as plain text \(.*weir token hash/m],
    ["beyond this machine without TLS", () => edit("weir.yaml", "host: 127.0.0.1", "host: 0.0.0.0"), 1, /^warning +tls .*a listener beyond this machine has no TLS$/m],
    ["a welcome token beyond this machine", () => edit("weir.yaml", "host: 127.0.0.1", "host: 0.0.0.0"), 1, /^SERIOUS +listeners +a welcome token is set/m],
    ["nobody has to say who they are", () => appendFileSync(join(config, "weir.yaml"), "\nauth: {require_auth: false, dev_username: admin}\n"), 0, /^warning +listeners +nobody has to say who they are$/m],
    ["a certificate that is not there", () => appendFileSync(join(config, "weir.yaml"), "\nhttp: {tls_cert: no.pem, tls_key: no.key}\n"), 1, /^SERIOUS +tls .*no\.pem: there is no certificate that can be read$/m],
    ["more connections than files", () => appendFileSync(join(config, "weir.yaml"), "\nhttp: {max_connections: 1000000}\n"), 0, /^(warning|ok) +limits +\d+ files may be open/m],
    ["no place for records", () => writeFileSync(join(space.dir, "file"), ""), 1, /^SERIOUS +audit .*cannot be written by this user$/m,
      () => ({ LOGS_DIRECTORY: join(space.dir, "file/logs") })],
    ["a toolset that is not there", () => appendFileSync(join(config, "weir.yaml"), "\nlisteners: [{toolsets: [warehous]}]\n"), 1, /there is no toolset 'warehous' \(did you mean 'warehouse'\?\)/],
    ["a listener that serves nothing", () => appendFileSync(join(config, "weir.yaml"), "\nlisteners: [{toolsets: []}]\n"), 0, /^ok +tools .*role data_analyst: 0 tools, 12 bytes/m],
  ];
  for (const [name, spoil, status, finding, env] of rows) {
    test(name, () => {
      deployment();
      spoil();
      const found = doctor(config, env?.());
      assert.match(found.text, finding);
      assert.equal(found.status, status, found.text + found.wrong);
      rmSync(config, { recursive: true });
    });
  }

  test("a certificate near its end, and the key of another", () => {
    deployment();
    const make = (name, days) => execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
      "-days", String(days), "-keyout", join(config, `${name}.key`), "-out", join(config, `${name}.pem`)], { stdio: "ignore" });
    make("long", 400);
    make("short", 10);
    const http = (cert, key) => {
      deployTls(`http: {tls_cert: ${cert}.pem, tls_key: ${key}.key}`);
      return doctor();
    };
    const plain = readFileSync(join(config, "weir.yaml"), "utf8");
    function deployTls(text) { writeFileSync(join(config, "weir.yaml"), plain + "\n" + text + "\n"); }
    assert.match(http("long", "long").text, /^ok +tls .*the certificate lasts (399|400) days more$/m);
    assert.match(http("short", "short").text, /^warning +tls .*the certificate ends in (9|10) days$/m);
    const other = http("long", "short");
    assert.match(other.text, /^SERIOUS +tls .*the key is not that of the certificate$/m);
    assert.equal(other.status, 1);
    chmodSync(join(config, "long.key"), 0o644);
    const open = http("long", "long");
    assert.match(open.text, /^SERIOUS +files .*long\.key: the key of TLS is open to others \(mode 644\)$/m);
    assert.equal(open.status, 1);
  });

  test("an argument too many", () => {
    const ran = spawnSync(binary, ["doctor", "now"], { encoding: "utf8" });
    assert.equal(ran.status, 2);
  });
});
