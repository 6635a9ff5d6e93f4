// An issuer of opaque access tokens, asked about them by three clients: `node introspection.mjs AUDIENCE SECRET JWK plain|signed`.
// JWK: the public key of the client that authenticates by private_key_jwt. It prints the issuer's URL.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [audience, secret, jwk, answers] = process.argv.slice(2);
const signs = answers === "signed";
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const client = (client_id, more) => ({
  client_id,
  grant_types: [],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: "ES256",
  ...(signs && { introspection_signed_response_alg: "ES256" }),
  ...more,
});
const api = (method, more) => client(`orders api:${method}`, { token_endpoint_auth_method: method, ...more });

const provider = new Provider(issuer, {
  clients: [
    client("orders-client", { client_secret: secret, grant_types: ["client_credentials"] }),
    api("client_secret_basic", { client_secret: secret }),
    api("client_secret_post", { client_secret: secret }),
    api("private_key_jwt", { jwks: { keys: [JSON.parse(jwk)] } }),
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    jwtIntrospection: { enabled: signs },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({ scope: "orders:read", audience, accessTokenFormat: "opaque", accessTokenTTL: 300 }),
    },
  },
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "of-this-run" }] },
});
server.on("request", provider.callback());
console.log(issuer);
