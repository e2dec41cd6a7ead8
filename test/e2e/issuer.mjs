// A real issuer (oidc-provider) on loopback, whose keys can be changed and which can be silent. Each
// client may ask for a token by client_credentials; its name says by which algorithm it is signed,
// or that it is opaque.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";

const kinds = {
  RS256: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  EdDSA: ["ed25519", {}],
};
export const scopes = "mcp:read mcp:query";
export const clients = ["rs256", "es256", "eddsa", "opaque"];
const secretOf = (client) => `${client}-secret-of-the-test-0123456789`;

// A private key for each algorithm; `mark` is in their names.
export function newKeys(mark) {
  return Object.entries(kinds).map(([alg, [kind, options]]) => ({
    ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), alg, use: "sig", kid: `${alg}-${mark}` }));
}

function makeProvider(Provider, issuer, keys) {
  const algOf = (client) => Object.keys(kinds).find((alg) => alg.toLowerCase() === client.clientId);
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: clients.map((client_id) => ({
      client_id, client_secret: secretOf(client_id), grant_types: ["client_credentials"], redirect_uris: [], response_types: [] })),
    scopes: scopes.split(" "),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, audience, client) => ({
          audience, scope: scopes, accessTokenTTL: 300,
          ...(algOf(client) ? { accessTokenFormat: "jwt", jwt: { sign: { alg: algOf(client) } } } : { accessTokenFormat: "opaque" }) }),
      },
    },
  });
  return provider.callback();
}

// `count(path)` tells how often a path was asked for.
export async function startIssuer() {
  const { Provider } = await import("oidc-provider");
  const asked = new Map();
  let serve = () => {};
  const server = createServer((request, reply) => {
    const path = new URL(request.url, "http://issuer").pathname;
    asked.set(path, (asked.get(path) ?? 0) + 1);
    serve(request, reply);
  });
  let port = 30000 + (process.pid % 2000);
  for (let tries = 0; ; tries++) {
    const failed = await new Promise((done) => {
      server.once("error", done);
      server.listen(port, "127.0.0.1", () => done(undefined));
    });
    if (failed === undefined) break;
    if (failed.code !== "EADDRINUSE" || tries === 20) throw failed;
    port++;
  }
  const url = `http://127.0.0.1:${port}`;
  const issuer = {
    url, jwks: `${url}/jwks`, introspection: `${url}/token/introspection`,
    count: (path) => asked.get(path) ?? 0,
    use(keys) { serve = makeProvider(Provider, url, keys); },
    answer(with_) { serve = with_; },
    async token(client, { resource, scope = scopes }) {
      const reply = await fetch(`${url}/token`, {
        method: "POST",
        headers: { Authorization: `Basic ${Buffer.from(`${client}:${secretOf(client)}`).toString("base64")}` },
        body: new URLSearchParams({ grant_type: "client_credentials", resource, scope }) });
      const body = await reply.json();
      if (reply.status !== 200) throw new Error(`no token: ${JSON.stringify(body)}`);
      return body.access_token;
    },
    secretOf,
    // No connection is taken any more, and none that stands is kept.
    async down() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  issuer.use(newKeys("a"));
  return issuer;
}
