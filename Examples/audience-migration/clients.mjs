// The two clients of the story. Each logs in at the issuer under a client ID of its own, and sends one of the tokens
// that it got there.

import { request } from 'node:http';

export const API = 'https://api.example.com';

export class Client {
  constructor(name, id, issuer) {
    this.name = name;
    this.id = id;
    this.issuer = issuer;
    this.hasMoved = false;
  }

  // What the client does before it moves: it sends the ID token of its login, which says who logged in and whose
  // audience is the client itself. Afterwards it asks for an access token of the API and sends that: one more
  // parameter, and another member of the answer.
  async token() {
    const form = { client_id: this.id, ...(this.hasMoved && { audience: API }) };
    const response = await fetch(`${this.issuer}oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    const answer = await response.json();
    return this.hasMoved ? answer.access_token : answer.id_token;
  }

  async call(port, token) {
    return send(port, '/orders', { Authorization: `Bearer ${token ?? (await this.token())}`, 'User-Agent': this.name });
  }
}

export function claims(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
}

// The same token with other claims: whoever makes one up has no key to sign it with.
export function forged(token, changes) {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify({ ...claims(token), ...changes })).toString('base64url');
  return `${header}.${payload}.${signature}`;
}

// One GET over a connection of its own. `place` is a port of 127.0.0.1 or the path of a socket file.
export function send(place, path, headers = {}) {
  const target = typeof place === 'number' ? { host: '127.0.0.1', port: place } : { socketPath: place };
  return new Promise((resolve, reject) => {
    const sent = request({ ...target, path, headers, agent: false, timeout: 20_000 }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end();
  });
}
