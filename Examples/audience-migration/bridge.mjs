// Antechamber in front of the API: its configuration, and the commands that ask about it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { API, send } from './clients.mjs';
import { Program, eventually, finish } from './processes.mjs';

export const instant = (secondsFromNow) =>
  new Date(Date.now() + secondsFromNow * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

export class Bridge {
  // `audience` is the one that the API insists on, `key` what it is to trust in place of the issuer's.
  constructor(binary, folder, { issuer, audience, key }) {
    this.binary = binary;
    this.folder = folder;
    this.file = join(folder, 'proxy.conf');
    this.admin = join(folder, 'admin.sock');
    this.issuer = issuer;
    this.audience = audience;
    mkdirSync(join(folder, 'state'), { mode: 0o700 });
    writeFileSync(join(folder, 'mint.pem'), key, { mode: 0o600 });
  }

  // Writes proxy.conf with these legacy audiences, starts the proxy anew, and returns what it wrote. The dates are
  // absolute and the counts lie in `state_dir`, so that it makes no difference that another process goes on.
  async configure(apiPort, legacy) {
    await this.stop();
    const configuration = this.configuration(apiPort, legacy);
    writeFileSync(this.file, configuration);
    this.program = await Program.start(
      this.binary, ['run', '--config', this.file], /listening on 127\.0\.0\.1:(\d+)/);
    this.port = this.program.port;
    for (const page of ['/readyz', '/migration']) {
      await eventually(`${page} is 200`, async () => (await send(this.admin, page)).status === 200);
    }
    return configuration;
  }

  configuration(apiPort, legacy) {
    return `listen    127.0.0.1:0;
admin     unix:${this.admin};
state_dir ${join(this.folder, 'state')};
upstream  http://127.0.0.1:${apiPort};

issuer ${this.issuer} {
    audience ${API};
${legacy}}

# The API verifies tokens itself: it gets one of the shape that it takes, whoever calls.
authorization mint;
mint {
    key_file  mint.pem;
    algorithm RS256;
    issuer    ${this.issuer};
    audience  ${this.audience};
    lifetime  60s;
}
`;
  }

  report(since) {
    return finish(this.binary, ['report', '--admin', `unix:${this.admin}`, '--since', since, '--whole-window']);
  }

  async stop() {
    await this.program?.stop();
    this.program = undefined;
  }
}
