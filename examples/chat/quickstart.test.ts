import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateFromModule } from '../../src/cli/bindings.js';
import type { ChoraleServer } from '../../src/server/create-server.js';
import { CHAT_FOLDER, startChat } from './testing/chat-server.js';
import { bundleQuickstart } from './testing/quickstart-bundle.js';
import { hasPseudoTerminal, ScreenProcess } from './testing/screen-process.js';

if (!hasPseudoTerminal) {
  process.stderr.write('quickstart.test.ts uses pipes: there is no `script` of util-linux for a terminal.\n');
}

test('the package is that of the module', async () => {
  const files = await generateFromModule(CHAT_FOLDER, 'chorale-async');
  expect([...files.keys()].toSorted()).toEqual(
    ['index.ts', 'message.ts', 'send_message_reducer.ts', 'set_name_reducer.ts', 'user.ts'],
  ); // prettier-ignore
  for (const [name, text] of files) {
    const present = await readFile(join(CHAT_FOLDER, 'quickstart', 'module_bindings', name), 'utf8').catch(
      () => '',
    );
    expect(present, `${name}: generate it with --sdk chorale-async`).toBe(text);
  }
});

test('the document shows the program as it is, piece by piece', async () => {
  const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ');
  const program = squeeze(await readFile(join(CHAT_FOLDER, 'quickstart', 'main.ts'), 'utf8'));
  const document = await readFile(join(CHAT_FOLDER, '..', '..', 'docs', 'quickstart.md'), 'utf8');
  const pieces = [...document.matchAll(/```ts\n([^`]*)```/g)].map((match) => squeeze(match[1]!).trim());
  expect(pieces.length).toBeGreaterThan(8);
  for (const piece of pieces) expect(program).toContain(piece);
});

describe(`two people ${hasPseudoTerminal ? 'in pseudo-terminals' : 'at pipes'}`, () => {
  let program: string;
  let folder: string;
  let home: string;
  let server: ChoraleServer;
  let people: ScreenProcess[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chorale-quickstart-'));
    program = await bundleQuickstart(folder);
    return async () => rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'chorale-home-'));
    server = await startChat();
    people = [];
  });

  afterEach(async () => {
    for (const person of people) person.kill();
    await Promise.all(people.map((person) => person.exited));
    await server.close({ drainMs: 0 });
    await rm(home, { recursive: true });
  });

  function enter(...args: string[]): ScreenProcess {
    const words = [process.execPath, program, '--server', `localhost:${server.port}`, ...args];
    const person = new ScreenProcess(words, { HOME: home });
    people.push(person);
    return person;
  }

  const sees = (person: ScreenProcess, text: string | RegExp): PromiseLike<void> =>
    expect
      .poll(() => person.lines)
      .toContainEqual(typeof text === 'string' ? text : expect.stringMatching(text));

  test('name themselves, talk, are warned, leave and come back', async () => {
    const ada = enter();
    await sees(ada, /^User c200\w{4} connected\.$/);
    await sees(ada, 'SYSTEM: Connected.');
    ada.type('/name Ada');
    await sees(ada, /^User c200\w{4} renamed to Ada\.$/);
    const bob = enter('--client', '2');
    await sees(bob, 'User Ada connected.');
    await sees(ada, /^User c200\w{4} connected\.$/);
    bob.type('/name Bob');
    await sees(ada, /^User c200\w{4} renamed to Bob\.$/);
    bob.type('hello');
    ada.type('hi there');
    for (const person of [ada, bob]) {
      await sees(person, 'Bob: hello');
      await sees(person, 'Ada: hi there');
    }

    ada.type('/name   ');
    await sees(ada, 'Failed to set name: Names must not be empty');
    ada.type('   ');
    await sees(ada, 'Failed to send message: Messages must not be empty');
    expect(bob.lines.filter((line) => line.startsWith('Failed'))).toEqual([]);

    bob.type('');
    expect(await bob.exited).toBe(0);
    await sees(ada, 'User Bob disconnected.');
    const bobAgain = enter('--client', '2');
    await sees(bobAgain, 'Ada: hi there');
    await sees(ada, 'User Bob connected.');
    const lines = bobAgain.lines.filter((line) => /^(SYSTEM|Ada|Bob): /.test(line));
    expect(lines[0]).toBe('SYSTEM: Connected.');
    expect(lines.slice(1).toSorted()).toEqual(['Ada: hi there', 'Bob: hello']);
    const modes = await Promise.all(
      ['settings.json', 'settings-2.json'].map(
        async (name) => (await stat(join(home, '.chorale-quickstart', name))).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o600, 0o600]);
  });

  test('who comes later reads what was said in its order', async () => {
    const ada = enter();
    for (const text of ['one', 'two', 'three', 'four']) ada.type(text);
    await sees(ada, /: four$/);
    const bob = enter('--client=2');
    await sees(bob, /: four$/);
    const said = bob.lines.filter((line) => /^c200\w{4}: /.test(line)).map((line) => line.slice(10));
    expect(said).toEqual(['one', 'two', 'three', 'four']);
  });

  test('a message that the owner sends from outside comes with him, for as long as the call takes', async () => {
    const ada = enter();
    await sees(ada, 'SYSTEM: Connected.');
    const answer = await fetch(`${server.url}/v1/database/chat/call/send_message`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.owner.token}` },
      body: JSON.stringify(['maintenance at noon']),
    });
    expect(answer.status).toBe(200);
    const name = server.owner.identity.toHexString().slice(0, 8);
    await sees(ada, `User ${name} disconnected.`);
    expect(ada.lines.filter((line) => line.includes(name))).toEqual([
      `User ${name} connected.`,
      `${name}: maintenance at noon`,
      `User ${name} disconnected.`,
    ]);
  });

  test('a server that goes away ends the program with a reason', async () => {
    const ada = enter();
    await sees(ada, 'SYSTEM: Connected.');
    await server.close({ drainMs: 0 });
    expect(await ada.exited).toBe(1);
    expect(ada.lines.join('\n')).toMatch(/the connection closed \(1\d\d\d/);
    const bob = enter('--client', '2');
    expect(await bob.exited).toBe(1);
    expect(bob.lines.join('\n')).toMatch(/the connection could not be made/);
    server = await startChat();
  });

  test('a token that another server gave is refused with a reason', async () => {
    const ada = enter();
    await sees(ada, 'SYSTEM: Connected.');
    ada.type('');
    await ada.exited;
    await server.close({ drainMs: 0 });
    server = await startChat();
    const again = enter();
    expect(await again.exited).toBe(1);
    expect(again.lines.join('\n')).toMatch(/401/);
  });

  test('settings that cannot be used end the program with a reason', async () => {
    await mkdir(join(home, '.chorale-quickstart'));
    await writeFile(join(home, '.chorale-quickstart', 'settings.json'), 'not JSON');
    const ada = enter();
    expect(await ada.exited).toBe(1);
    expect(ada.lines.join('\n')).toMatch(/settings\.json is damaged/);
    const bob = enter('--client', '../x');
    expect(await bob.exited).toBe(1);
    expect(bob.lines.join('\n')).toMatch(/--client takes a number/);
    expect(await readdir(join(home, '.chorale-quickstart'))).toEqual(['settings.json']);
    await chmod(join(home, '.chorale-quickstart'), 0o700);
  });
});
