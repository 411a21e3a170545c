// The API of the support thread: it verifies each request's token by itself, for one client ID, with one public key, as
// `jwt.verify(token, publicKey, { audience, issuer, algorithms: ['RS256'] })` of the package jsonwebtoken does.
//
//   node jwt_backend.mjs PUBLIC_KEY_PEM AUDIENCE ISSUER

import { createPublicKey, verify as signatureHolds } from 'node:crypto';
import { createServer } from 'node:http';

const [publicKeyPEM, audience, issuer] = process.argv.slice(2);
const publicKey = createPublicKey(publicKeyPEM);

function jwtVerify(token, key, expected) {
  const parts = token.split('.');
  if (parts.length !== 3) throw new Error('jwt malformed');
  const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
  if (!expected.algorithms.includes(header.alg)) throw new Error('invalid algorithm');
  const signature = Buffer.from(parts[2], 'base64url');
  if (!signatureHolds('RSA-SHA256', Buffer.from(`${parts[0]}.${parts[1]}`), key, signature)) {
    throw new Error('invalid signature');
  }
  const now = Math.floor(Date.now() / 1000);
  if (claims.nbf !== undefined && claims.nbf > now) throw new Error('jwt not active');
  if (claims.exp !== undefined && now >= claims.exp) throw new Error('jwt expired');
  if (![claims.aud].flat().includes(expected.audience)) throw new Error('jwt audience invalid');
  if (claims.iss !== expected.issuer) throw new Error('jwt issuer invalid');
  return claims;
}

const server = createServer((request, response) => {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  try {
    if (scheme !== 'Bearer') throw new Error('no token');
    const claims = jwtVerify(token, publicKey, { audience, issuer, algorithms: ['RS256'] });
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(claims));
  } catch (error) {
    response.statusCode = 401;
    response.end(error.message);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
process.stdin.on('end', () => process.exit()).resume();
