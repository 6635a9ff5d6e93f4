// Calls an API with a token that is bound to a key of this client: a new proof for each request (RFC 9449).
//
//   ISSUER=https://myapp.authgear.cloud CLIENT_ID=… CLIENT_SECRET=… API=https://api.example.com \
//     node client.mjs "GET /orders" "GET /orders/7"
import * as DPoP from "dpop";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, API } = process.env;
// The address of a local AWS, since the API's name does not resolve to it. Leave it out otherwise.
const { CONNECT_TO = API } = process.env;
const key = await DPoP.generateKeyPair("ES256");

async function getToken() {
  const { token_endpoint: url } = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
  const response = await fetch(url, {
    method: "POST",
    headers: {
      Authorization: `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64")}`,
      DPoP: await DPoP.generateProof(key, url, "POST"),
    },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "orders:read" }),
  });
  const answer = await response.json();
  // An issuer that ignores the proof sends a bearer token, which works for anybody who has it.
  if (answer.token_type?.toLowerCase() !== "dpop") throw new Error(`no bound token: ${JSON.stringify(answer)}`);
  return answer.access_token;
}

async function call(method, path, token) {
  const proof = await DPoP.generateProof(key, API + path, method, undefined, token);
  return fetch(CONNECT_TO + path, { method, headers: { Authorization: `DPoP ${token}`, DPoP: proof } });
}

const token = await getToken();
for (const request of process.argv.slice(2)) {
  const [method, path] = request.split(" ");
  const response = await call(method, path, token);
  console.log(response.status, request, await response.text());
}
