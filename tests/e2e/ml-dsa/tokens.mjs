// Makes and checks tokens that are signed with ML-DSA: JSON on standard input and output. `node tokens.mjs < ASKED > ANSWERED`.
// Asked: {claims, tokens: [{jwk, token}]}. Answered: {made: [{jwk, token}], checked: [the claims, or the error's code]}.
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, jwtVerify } from "jose";
import { readFileSync } from "node:fs";

const { claims, tokens } = JSON.parse(readFileSync(0, "utf8"));

const made = [];
for (const alg of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]) {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const token = await new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(privateKey);
  made.push({ jwk: { ...jwk, alg, kid, use: "sig" }, token });
}

const checked = [];
for (const { jwk, token } of tokens) {
  const key = await importJWK(jwk);
  checked.push(await jwtVerify(token, key).then(({ payload }) => payload, ({ code }) => code));
}
process.stdout.write(JSON.stringify({ made, checked }));
