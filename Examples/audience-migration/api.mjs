// The API of the story, as its developer wrote it: it verifies each token itself, and knows one audience. It is the
// same file from the first step to the last; what changes is the key that it is given.
//
//   CLIENT_ID=… ISSUER=… PUBLIC_KEY="$(cat key.pem)" node api.mjs

import { createPublicKey, verify } from 'node:crypto';
import { createServer } from 'node:http';

const { CLIENT_ID, ISSUER, PUBLIC_KEY } = process.env;
const publicKey = createPublicKey(PUBLIC_KEY);

// What jsonwebtoken does for
//   jwt.verify(token, publicKey, { audience: CLIENT_ID, issuer: ISSUER, algorithms: ['RS256'] })
// with Node's own crypto, so that the example needs no package.
function verifiedClaims(token) {
  const [header, payload, signature] = token.split('.');
  const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  if (decoded(header).alg !== 'RS256') throw new Error('invalid algorithm');
  if (!verify('RSA-SHA256', `${header}.${payload}`, publicKey, Buffer.from(signature, 'base64url'))) {
    throw new Error('invalid signature');
  }
  const claims = decoded(payload);
  if (claims.exp <= Date.now() / 1000) throw new Error('jwt expired');
  if (![claims.aud].flat().includes(CLIENT_ID)) throw new Error(`jwt audience invalid. expected: ${CLIENT_ID}`);
  if (claims.iss !== ISSUER) throw new Error(`jwt issuer invalid. expected: ${ISSUER}`);
  return claims;
}

function answer(request) {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!token) return [401, { error: 'no token' }];
  try {
    const { sub } = verifiedClaims(token);
    return [200, { subject: sub, orders: ['espresso machine', 'grinder'] }];
  } catch (error) {
    return [401, { error: error.message }];
  }
}

const server = createServer((request, response) => {
  const [status, body] = answer(request);
  // The story reads what the API made of each request that reached it.
  console.log(`${request.method} ${request.url} ${status} ${body.error ?? body.subject}`);
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
