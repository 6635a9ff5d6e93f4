// The peers in Node: aws-jwt-verify and jose, with the keys at hand, against Node's own check of an RS256 signature.
// Reads what benchmarks/warm.py calls the material from standard input; writes seconds per call, by name, as JSON.

import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { JwtVerifier } from "aws-jwt-verify";
import { createLocalJWKSet, jwtVerify } from "jose";

const PASSES = 25;
const WARM_UP = 2000; // calls until the compiler has done its work
const material = JSON.parse(readFileSync(0, "utf8"));
const { issuer, tokens } = material;
const audience = "https://api.example.com";
const jwks = JSON.parse(material.jwks);

const verifier = JwtVerifier.create({ issuer, audience, jwksUri: material.jwks_url });
verifier.cacheJwks(jwks);
const keySet = createLocalJWKSet(jwks);
const key = createPublicKey({ key: jwks.keys[0], format: "jwk" });
const parsed = tokens.map((token) => {
  const [header, payload, signature] = token.split(".");
  return [Buffer.from(`${header}.${payload}`), Buffer.from(signature, "base64url")];
});

const calls = {
  "Node, raw check": (number) => {
    if (!verify("RSA-SHA256", parsed[number][0], key, parsed[number][1])) throw new Error("not verified");
  },
  "aws-jwt-verify": (number) => verifier.verifySync(tokens[number]),
  jose: (number) => jwtVerify(tokens[number], keySet, { issuer, audience, algorithms: ["RS256"] }),
};

const times = {};
for (const [name, call] of Object.entries(calls)) {
  for (let count = 0; count < WARM_UP; count += 1) await call(count % tokens.length);
  times[name] = Infinity;
}
for (let pass = 0; pass < PASSES; pass += 1) {
  for (const [name, call] of Object.entries(calls)) {
    const waits = name === "jose"; // the only one that answers with a promise
    const started = process.hrtime.bigint();
    for (let number = 0; number < tokens.length; number += 1) {
      if (waits) await call(number);
      else call(number);
    }
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    times[name] = Math.min(times[name], seconds / tokens.length);
  }
}
process.stdout.write(JSON.stringify(times));
