// The programs of the story: each is started, waited for until it listens, and ended with the story, however that ends.

import { spawn } from 'node:child_process';

// Holds the program's life to our end of a pipe: when we close it, or die, the shell ends the program.
const tether = `
exec 3<&0
"$@" 3<&- &
program=$!
{ cat <&3 >/dev/null; kill "$program"; } 2>/dev/null &
wait "$program"
`;

export class Program {
  // `ready` is the pattern of the line that says where it listens; its group is the port, if there is one.
  static async start(command, args, ready, environment = {}) {
    const program = new Program(command, args, environment);
    program.port = Number(await program.line(ready));
    return program;
  }

  constructor(command, args, environment) {
    this.name = `${command} ${args[0]}`;
    this.output = '';
    this.process = spawn('/bin/sh', ['-c', tether, 'sh', command, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    }
    this.process.stdin.on('error', () => {});
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
    this.ended.then(() => (this.hasEnded = true));
  }

  line(pattern) {
    return eventually(`${this.name} listens`, () => {
      const match = pattern.exec(this.output);
      if (match) return match[1] ?? '';
      if (this.hasEnded) throw new Error(`${this.name} ended at its start:\n${this.output}`);
    });
  }

  async stop() {
    this.process.stdin.end();
    await this.ended;
  }
}

// Runs a command to its end.
export function finish(command, args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe' });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output, errors }));
    child.stdin.end(input);
  });
}

// Polls until `condition` gives something.
export async function eventually(what, condition) {
  const deadline = Date.now() + 40_000;
  while (Date.now() < deadline) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`did not come true: ${what}`);
}
