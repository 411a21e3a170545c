// The story, step by step: each prints what is sent, what comes back and why, and ends everything with an error where
// something else comes back than is told.
//
//   node story.mjs PATH_OF_ANTECHAMBER

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Bridge, instant } from './bridge.mjs';
import { API, Client, claims, forged } from './clients.mjs';
import { Program, eventually } from './processes.mjs';

const antechamber = process.argv[2] ?? 'antechamber';
const here = dirname(fileURLToPath(import.meta.url));
const say = (text) => console.log(text.replace(/^(?=.)/gm, '  ').trimEnd());
const step = (title) => console.log(`\n── ${title} ${'─'.repeat(Math.max(2, 100 - title.length))}\n`);

// How many requests the API has answered itself.
let answeredByAPI = 0;

// One request, its answer, and the reason. The token is told by its audience, as that is what all of this is about.
async function call(client, port, { expecting, why, token, as = 'its token' }) {
  const sent = token ?? (await client.token());
  const { status, headers, text } = await client.call(port, sent);
  const { aud } = claims(sent);
  say(`\n${client.name}  GET /orders  with ${as}, aud ${JSON.stringify(aud)}`);
  const told = ['deprecation', 'sunset', 'link'].filter((name) => headers[name]);
  const isRefusal = headers['content-type'].startsWith('application/problem+json');
  if (!isRefusal) answeredByAPI += 1;
  const body = isRefusal ? problem(text) : text;
  say(`  ${status}  ${body}`);
  for (const name of told) say(`       ${name}: ${headers[name]}`);
  say(`  why  ${why}`);
  if (status !== expecting) throw new Error(`${client.name} got ${status}, and not ${expecting}`);
  return { headers, text };
}

function problem(text) {
  const { code, detail, hint } = JSON.parse(text);
  return [code, detail, hint].filter(Boolean).join('\n       ');
}

function expect(what, holds) {
  if (!holds) throw new Error(`it is not so that ${what}`);
}

async function report(bridge, since, expecting) {
  const { status, output, errors } = await bridge.report(since);
  say(`\n$ antechamber report --admin unix:… --since ${since} --whole-window\n`);
  say(`${output}${errors}\n(exit status ${status})`);
  expect(`the report exits ${expecting}`, status === expecting);
}

// Instants are to the second: what comes next is in another one than what was.
async function nextSecond() {
  const now = instant(0);
  await eventually('the next second', () => instant(0) > now);
  return instant(0);
}

const folder = mkdtempSync(join(tmpdir(), 'audience-migration-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
process.on('uncaughtException', (error) => {
  console.error(`\nThe story went another way: ${error.message}`);
  process.exit(1);
});

// ── The cast ────────────────────────────────────────────────────────────────────────────────────────────────────────

const issuerProgram = await Program.start(
  antechamber, ['demo', '--issuer-only'], /listening on http:\/\/127\.0\.0\.1:(\d+)\//);
const issuer = `http://127.0.0.1:${issuerProgram.port}/`;
const web = new Client('web', 'SDFWRGRRSFDF3214', issuer);
const cli = new Client('cli', 'CLI7F3KQ2ZPX9W1V', issuer);

// The API's deployment: a client ID, an issuer, a public key.
const startAPI = (publicKey) =>
  Program.start(process.execPath, [join(here, 'api.mjs')], /listening on 127\.0\.0\.1:(\d+)/, {
    CLIENT_ID: web.id, ISSUER: issuer, PUBLIC_KEY: publicKey,
  });
const idToken = 'the ID token of its login';
const accessToken = 'an access token';
const pem = (key) => key.export({ type: 'spki', format: 'pem' });
const issuerKey = createPublicKey({
  key: (await (await fetch(`${issuer}.well-known/jwks.json`)).json()).keys[0], format: 'jwk',
});

step('0. Without the bridge');
say(`A web app and a CLI share an API. It verifies each token itself:

    jwt.verify(token, publicKey, { audience: '${web.id}', issuer, algorithms: ['RS256'] })`);
let api = await startAPI(pem(issuerKey));
await call(web, api.port, {
  expecting: 200, as: idToken,
  why: "The web app's ID token is for the web app, whose client ID is what the API checks.",
});
await call(cli, api.port, {
  expecting: 401, as: idToken,
  why: "The CLI's ID token is for the CLI. Same issuer, same key, same user, another client: another audience.",
});
await api.stop();
const seen = [api.output];

step('1. The bridge in front');
const mintKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
api = await startAPI(pem(mintKeys.publicKey));
const bridge = new Bridge(antechamber, folder, {
  issuer, audience: web.id, key: mintKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
});
const deprecated = instant(-86_400);
const end = instant(30 * 86_400);
const documentation = 'documentation https://docs.example.com/new-audience;';
const accepted = (client, more = '') => `    legacy_audience ${client.id} {
        name          ${client.name};
        deprecated    ${deprecated};
        accept_until  ${end};${more}
        ${documentation}
    }
`;
const configuration = await bridge.configure(api.port, accepted(web) + accepted(cli));
say(`Antechamber stands in front of the API now, with this proxy.conf:

${configuration.replace(/^(?=.)/gm, '    ')}
It accepts the API's own audience, and for 30 days the client IDs of both clients. The API's code is what it was. It is
given another public key, as the tokens that it sees are signed by the bridge from here on, once a caller's own was
verified.`);
await call(web, bridge.port, {
  expecting: 200, as: idToken,
  why: 'Accepted until the date in Sunset. The response tells the client to move.',
});
const { headers } = await call(cli, bridge.port, {
  expecting: 200, as: idToken,
  why: 'The bridge verified the token that the CLI has, and the API got one for the audience that it insists on.',
});
expect('the CLI is told', headers.deprecation && headers.sunset && headers.link);
await call(cli, bridge.port, {
  expecting: 401, as: 'a token made up by somebody', token: forged(await cli.token(), { sub: 'auth0|bob' }),
  why: 'Nothing that a token says counts before its signature held. The API never saw this one.',
});

step('2. The CLI moves');
say(`The API has a name of its own at the issuer, ${API}. The CLI's next release asks for an access token
with that audience, and sends that one.`);
const cliMovedAt = await nextSecond();
cli.hasMoved = true;
const moved = await call(cli, bridge.port, {
  expecting: 200, as: accessToken,
  why: `The token is for the API. The API itself still insists on ${web.id}, and got one with that.`,
});
expect('the CLI is not told to move any more', !moved.headers.deprecation);
await call(web, bridge.port, {
  expecting: 200, as: idToken, why: 'The web app has not moved, and works on.',
});

step('3. Who is left?');
say(`Since ${cliMovedAt}, when the CLI's release went out:`);
await report(bridge, cliMovedAt, 1);
say('\nNobody has to guess, and a merge request that deletes what is still used does not pass.');

step('4. A brownout');
const brownout = `brownout      ${instant(-1)} 1h;`;
say(`Somebody has to be reached who does not read headers. For an hour the web app's old audience is refused, and comes
back by itself. In proxy.conf:

        ${brownout}`);
await bridge.configure(api.port, accepted(web, `\n        ${brownout}`) + accepted(cli));
await call(web, bridge.port, {
  expecting: 401, as: idToken, why: 'The answer says why, until when, and what to do. Somebody will call.',
});
await call(cli, bridge.port, { expecting: 200, as: accessToken, why: 'Who has moved does not notice.' });
say("\nThe web app's developers read the answer, and add the audience to their login. It is deployed within the hour:");
const webMovedAt = await nextSecond();
web.hasMoved = true;
await call(web, bridge.port, {
  expecting: 200, as: accessToken, why: 'The brownout is for the old audience, and this is the new one.',
});
say('\nA call that was refused is no use, so this is about what came since then:');
await report(bridge, webMovedAt, 0);

step('5. The cut-off');
const cutOff = instant(-1);
say(`The report is green, and the date has come (here it is moved to one second ago):

        accept_until  ${cutOff};`);
const ended = (client) => `    legacy_audience ${client.id} {
        name          ${client.name};
        accept_until  ${cutOff};
        ${documentation}
    }
`;
await bridge.configure(api.port, ended(web) + ended(cli));
web.hasMoved = false;
await call(web, bridge.port, {
  expecting: 401, as: 'the ID token that an old script still sends',
  why: 'Since when, which audience instead, and where to read about it.',
});
web.hasMoved = true;
for (const client of [web, cli]) {
  await call(client, bridge.port, {
    expecting: 200, as: accessToken, why: 'One audience, whoever calls: the name of the API.',
  });
}

step('What the API has seen');
for (const program of [bridge, api, issuerProgram]) await program.stop();
seen.push(api.output);
const requests = seen.join('').split('\n').filter((line) => line.startsWith('GET '));
say(requests.join('\n'));
expect('the API saw what it answered, and nothing else', requests.length === answeredByAPI);
expect('no token reached the API whose signature did not hold', !requests.some((line) => line.includes('signature')));
say(`\nNo token whose signature did not hold. Now its jwt.verify can go too, whenever there is time: X-Auth-Subject says
who calls.`);
console.log('\nThe story is over, and every step went as told.');
