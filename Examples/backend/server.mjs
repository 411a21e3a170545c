// The sample backend: an ordinary Node API that knows nothing of tokens. It has no token library, no
// key, no issuer; who the caller is stands in the X-Auth-* headers, because nothing reaches it but
// through the proxy in front. That is why it listens on loopback only, unless BIND_ADDRESS says where else
// nobody but the proxy gets to it: in a network of containers.
//
//   PORT=3000 node server.mjs
//
// PORT 0 (the default is 3000) takes any free port; the line printed says which. With
// EXIT_WITH_STDIN=1 it stops when its standard input ends, so that it never outlives who started it,
// even one that was killed.

import { createServer } from 'node:http';

const orders = [
  { id: 1, customer: 'auth0|alice', item: 'espresso machine', total: 349.0 },
  { id: 2, customer: 'auth0|alice', item: 'grinder', total: 129.5 },
  { id: 3, customer: 'auth0|bob', item: 'kettle', total: 59.0 },
];
const bodyBytesMax = 1024 * 1024;

// Who calls: the proxy verified the token and set these, and removed any that the client sent.
function caller(request) {
  const scope = request.headers['x-auth-scope'];
  return {
    subject: request.headers['x-auth-subject'],
    client: request.headers['x-auth-client'],
    scopes: scope ? scope.split(' ') : [],
  };
}

function sendJSON(response, status, value, headers = {}) {
  const body = JSON.stringify(value, null, 2) + '\n';
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw Object.assign(new Error('body too large'), { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function home(request, response) {
  const { subject, client } = caller(request);
  const text =
    `Hello, ${subject ?? 'stranger'}.\n` +
    (client ? `You came with a token of the client ${client}.\n` : '') +
    '\nThis is a backend that never saw how you proved who you are.\n' +
    'Try /orders, or any other path to see the headers it was given.\n';
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function listOrders(request, response) {
  const { subject } = caller(request);
  sendJSON(response, 200, { subject, orders: orders.filter((order) => order.customer === subject) });
}

function showOrder(request, response, id) {
  const order = orders.find((order) => order.id === id);
  // The same answer for someone else's order as for none, so that IDs cannot be probed.
  if (!order || order.customer !== caller(request).subject) {
    return sendJSON(response, 404, { error: `there is no order ${id} of yours` });
  }
  sendJSON(response, 200, order);
}

async function addOrder(request, response) {
  let item, total;
  try {
    ({ item, total } = JSON.parse(await readBody(request)));
  } catch (error) {
    if (error.status) throw error;
    return sendJSON(response, 400, { error: 'the body is not JSON' });
  }
  if (typeof item !== 'string' || typeof total !== 'number') {
    return sendJSON(response, 400, { error: 'an order is {"item": "…", "total": 1.5}' });
  }
  // Not stored: a sample that grows with each call is a leak.
  const order = { id: orders.length + 1, customer: caller(request).subject, item, total };
  sendJSON(response, 201, order, { Location: `/orders/${order.id}` });
}

// Whatever has no route of its own is answered with what arrived, which is what one wants to see of
// a proxy.
async function echo(request, response) {
  const body = await readBody(request);
  const told = (name) => /^(x-auth-|x-forwarded-|forwarded$|x-request-id$|traceparent$|host$)/.test(name);
  sendJSON(response, 200, {
    method: request.method,
    path: request.url,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => told(name))),
    bodyBytes: body.length,
  });
}

async function route(request, response) {
  const [pathname] = request.url.split('?', 1);
  const order = /^\/orders\/([0-9]{1,9})$/.exec(pathname);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (pathname === '/' && isRead) return home(request, response);
  if (pathname === '/orders' && isRead) return listOrders(request, response);
  if (pathname === '/orders' && request.method === 'POST') return addOrder(request, response);
  if (order && isRead) return showOrder(request, response, Number(order[1]));
  return echo(request, response);
}

const server = createServer((request, response) => {
  route(request, response).catch((error) => {
    if (response.headersSent || response.destroyed) return response.destroy();
    sendJSON(response, error.status ?? 500, { error: error.message }, { Connection: 'close' });
  });
});
// Longer than the proxy keeps an idle connection in its pool, so that it is the proxy that closes:
// the other way round a request can meet a connection that Node has just closed.
server.keepAliveTimeout = 120_000;

function stop() {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  // What is still in flight gets a moment, not forever.
  setTimeout(() => process.exit(0), 2_000).unref();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// Whoever read our one line may be gone; that is no reason to stop serving.
process.stdout.on('error', () => {});
if (process.env.EXIT_WITH_STDIN === '1') {
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
  process.stdin.on('error', () => process.exit(0));
}

server.on('error', (error) => {
  console.error(`backend: ${error.message}`);
  process.exit(1);
});
const host = process.env.BIND_ADDRESS ?? '127.0.0.1';
server.listen(Number(process.env.PORT ?? 3000), host, () => {
  console.log(`backend: listening on http://${host}:${server.address().port}`);
});
