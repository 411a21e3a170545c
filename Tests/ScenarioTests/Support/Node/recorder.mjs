// What Node's own HTTP server makes of the bytes it gets: every request it understood, as it understood it,
// and every connection it gave up on. Started by the differential tests, never by a user.
//
// Three ports: one for the proxy, one for a client that speaks to Node without it, and one that gives out what the
// first two have seen. Each answer names the request's serial number, so that whoever gets it knows which one was
// theirs: a request that was understood to its end, and that nobody knows of, was smuggled.

import { createServer } from 'node:http';

function recorder() {
  const seen = [];
  const complaints = [];
  const server = createServer({ insecureHTTPParser: false, keepAliveTimeout: 0 }, (request, response) => {
    const entry = {
      method: request.method,
      target: request.url,
      version: request.httpVersion,
      fields: request.rawHeaders,
      trailers: [],
      body: '',
      isComplete: false,
    };
    const serial = seen.push(entry) - 1;
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      entry.body = Buffer.concat(pieces).toString('base64');
      entry.trailers = request.rawTrailers;
      entry.isComplete = request.complete;
      response.writeHead(200, { 'X-Serial': serial, 'Content-Type': 'text/plain' });
      response.end('seen');
    });
  });
  server.on('clientError', (error, socket) => {
    complaints.push(error.code);
    if (!socket.writable) return socket.destroy();
    const head = `HTTP/1.1 400 Bad Request\r\nX-Refused-By-Node: ${error.code}\r\nConnection: close\r\n`;
    return socket.end(`${head}Content-Length: 0\r\n\r\n`);
  });
  return { server, seen, complaints };
}

function listen(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

const proxied = recorder();
const direct = recorder();

// Connections are counted too: none is left once everything that was sent has been read.
const report = createServer((request, response) => {
  proxied.server.getConnections((_, proxiedCount) => {
    direct.server.getConnections((__, directCount) => {
      const part = ({ seen, complaints }) => ({ seen, complaints });
      const text = JSON.stringify(
        request.url === '/connections'
          ? proxiedCount + directCount
          : { proxied: part(proxied), direct: part(direct) },
      );
      response.writeHead(200, { 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    });
  });
});

const ports = await Promise.all([proxied.server, direct.server, report].map(listen));
console.log(`listening on ${ports.join(' ')}`);

// It never outlives the test that started it.
process.stdin.on('end', () => process.exit(0)).resume();
