// A Node backend that answers for itself, and checks the token of each request by Node's own crypto, as a service
// does that has no proxy to do it. Its argument is `key` (a KeyObject that is made once), `pem` (a PEM string each
// time, as jsonwebtoken is usually called: it makes a KeyObject of it for each token) or `none`.
import { createPublicKey, createVerify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const pem = readFileSync("@PUBLIC_KEY@", "utf8");
const key = createPublicKey(pem);
const keyOf = { key: () => key, pem: () => createPublicKey(pem) }[process.argv[2]];

const decoded = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));

function isGood(authorization) {
  if (!authorization?.startsWith("Bearer ")) return false;
  const parts = authorization.slice(7).split(".");
  if (parts.length !== 3) return false;
  try {
    if (decoded(parts[0]).alg !== "RS256") return false;
    const verify = createVerify("RSA-SHA256").update(parts[0] + "." + parts[1]);
    if (!verify.verify(keyOf(), parts[2], "base64url")) return false;
    const claims = decoded(parts[1]);
    return claims.iss === "@ISSUER@" && claims.aud === "@AUDIENCE@" && claims.exp > Date.now() / 1000;
  } catch {
    return false;
  }
}

const body = '{"ok":true}\n';
const server = createServer((request, response) => {
  if (keyOf && !isGood(request.headers.authorization)) {
    response.writeHead(401, { "WWW-Authenticate": "Bearer", "Content-Length": 0 }).end();
    return;
  }
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": body.length }).end(body);
});
server.keepAliveTimeout = 75_000;
server.listen(@PORT@, "127.0.0.1", 4096);
