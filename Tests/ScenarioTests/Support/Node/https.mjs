// Node's own HTTPS server, as a backend: what it saw of each request and its connection, as JSON.
//
//     https.mjs CERTIFICATE KEY
//
// /echo gives a body back. /end answers with a body that ends with the connection; /cut does so too, and cuts the
// connection instead of ending it in the way of TLS. /health is well.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

let connections = 0;
const server = createServer({ cert: readFileSync(process.argv[2]), key: readFileSync(process.argv[3]) }, (request, response) => {
  const socket = request.socket;
  if (request.url === '/echo') {
    response.writeHead(200, { 'Content-Length': request.headers['content-length'] });
    request.pipe(response);
  } else if (request.url === '/end' || request.url === '/cut') {
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { Connection: 'close' });
    response.write('half of it');
    if (request.url === '/end') response.end();
    // The TCP connection under it, once it has what was written.
    else setImmediate(() => socket._parent.destroy());
  } else {
    response.end(JSON.stringify({
      connection: socket.serial, resumed: socket.isSessionReused(), name: socket.servername || '', host: request.headers.host,
      protocol: socket.alpnProtocol || '', version: socket.getProtocol(), url: request.url,
    }));
  }
});
server.keepAliveTimeout = 60000;
server.on('secureConnection', (socket) => {
  socket.serial = connections++;
  socket.on('error', () => {});
});
server.on('tlsClientError', (error) => console.log(`refused ${error.code}`));
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
