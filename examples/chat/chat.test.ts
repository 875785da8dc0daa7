import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generateFromModule } from '../../src/cli/bindings.js';
import type { ChoraleServer } from '../../src/server/create-server.js';
import { TerminalChat } from './terminal/terminal-chat.js';
import { fileTokens, tokenPath } from './terminal/token-file.js';
import { CHAT_FOLDER, startChat } from './testing/chat-server.js';

test('the bindings are those of the module', async () => {
  const files = await generateFromModule(CHAT_FOLDER, 'chorale');
  for (const [name, text] of files) {
    const present = await readFile(join(CHAT_FOLDER, 'generated', name), 'utf8').catch(() => '');
    expect(present, `${name}: run \`npx chorale generate examples/chat\``).toBe(text);
  }
});

describe('the terminal client', () => {
  let server: ChoraleServer;
  let folder: string;
  let open: TerminalPerson[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chorale-terminal-'));
    server = await startChat();
    open = [];
  });

  afterEach(async () => {
    for (const person of open) person.type('/quit');
    await server.close({ drainMs: 0 });
    await rm(folder, { recursive: true });
  });

  interface TerminalPerson {
    type(line: string): void;
    /** What is on his screen, without the times. */
    readonly lines: string[];
  }

  function enter(client: string, uri = server.url): TerminalPerson {
    const input = new PassThrough();
    const output = new PassThrough();
    const lines: string[] = [];
    output.on('data', (chunk: Buffer) => {
      lines.push(
        ...chunk
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => line.replace(/^\d\d:\d\d( [AP]M)? /, '')),
      );
    });
    const tokens = fileTokens(tokenPath(client, { XDG_CONFIG_HOME: folder }));
    new TerminalChat({ uri, tokens, input, output }).run();
    const person = { type: (line: string) => void input.write(`${line}\n`), lines };
    open.push(person);
    return person;
  }

  const sees = (person: TerminalPerson, text: string | RegExp): PromiseLike<void> =>
    expect
      .poll(() => person.lines)
      .toContainEqual(typeof text === 'string' ? text : expect.stringMatching(text));

  test('two people rename themselves, write, list each other and leave', async () => {
    const ada = enter('1');
    await sees(ada, /^Connected as c200/);
    ada.type('/name Ada');
    await sees(ada, /^c200\w{4} is now Ada$/);
    const bob = enter('2');
    await sees(ada, /^c200\w{4} connected$/);
    bob.type('/name Bob');
    bob.type('hello');
    await sees(ada, 'Bob: hello');
    ada.type('/who');
    await sees(ada, '2 online: Ada, Bob');
    bob.type('/quit');
    await sees(ada, 'Bob disconnected');
  });

  test('who comes later sees what was said, and comes back as the same person', async () => {
    const ada = enter('1');
    ada.type('/name Ada');
    ada.type('first');
    ada.type('second');
    ada.type('/quit');
    const bob = enter('2');
    await sees(bob, 'Ada: second');
    expect(bob.lines.filter((line) => line.startsWith('Ada:'))).toEqual(['Ada: first', 'Ada: second']);
    await sees(enter('1'), /^Connected as Ada\./);
    expect((await stat(tokenPath('1', { XDG_CONFIG_HOME: folder }))).mode & 0o777).toBe(0o600);
  });

  test('what the server refuses is said in its words', async () => {
    const ada = enter('1');
    ada.type('/name   ');
    await sees(ada, 'Names must not be empty');
    ada.type('x'.repeat(2001));
    await sees(ada, 'Messages must not be longer than 2000 characters');
    ada.type('/dance');
    await sees(ada, /^Commands: /);
  });

  test('nothing that others write can take over the terminal', async () => {
    const [ada, bob] = [enter('1'), enter('2')];
    await sees(bob, /^Connected/);
    ada.type('a\u001b]0;title\u0007b\u001b[2Jc\u0008d');
    await sees(bob, /: abc\ufffdd$/);
  });

  test('a server that is away is awaited', async () => {
    const { url, port } = server;
    await server.close({ drainMs: 0 });
    const ada = enter('1', url);
    await sees(ada, `Nobody answers at ${url}. Trying again …`);
    server = await startChat({ port });
    await sees(ada, /^Connected as/);
  });
});
