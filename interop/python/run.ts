import { strict as assert } from 'node:assert';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeLegacyJson } from '../../src/protocols/spacetimedb/messages/v1-text/legacy-json.js';
import { ZOO_ARGUMENTS, ZOO_PARAMS, ZOO_ROW, ZOO_ROW_TYPE, ZOO_TYPESPACE } from './zoo-values.js';
import { openEnvironment } from './environment.js';
import { Program, runToEnd } from './program.js';

/*
 * The Python SDK of 2024 and a bare Python WebSocket against our server, as `npm run interop:python`: bindings by our
 * command, the chat of the SDK's quickstart by hand, two of them talking in both directions.
 */

const HERE = import.meta.dirname;
const ROOT = join(HERE, '..', '..');
const CLI = join(ROOT, 'dist', 'cli', 'main.js');

const environment = await openEnvironment();
if (environment.kind === 'absent') {
  process.stdout.write(`interop:python skipped: ${environment.reason}\n`);
} else {
  const folder = await mkdtemp(join(tmpdir(), 'chorale-python-'));
  const programs: Program[] = [];
  try {
    await runAll(environment.python, folder, programs);
  } finally {
    for (const program of programs.toReversed()) await program.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAll(python: string, folder: string, programs: Program[]): Promise<void> {
  await checkBindings(python, folder);
  const host = await startServer(folder, programs);
  await chat(python, folder, host, programs);
  await smokeV1Json(python, folder, host);
}

function passed(text: string): void {
  process.stdout.write(`interop:python ok: ${text}\n`);
}

async function checkBindings(python: string, folder: string): Promise<void> {
  await cp(join(HERE, '..', 'generated', 'zoo-python'), join(folder, 'zoo'), { recursive: true });
  const row = encodeLegacyJson(ZOO_ROW_TYPE, ZOO_ROW, ZOO_TYPESPACE);
  const args = encodeLegacyJson(ZOO_PARAMS, ZOO_ARGUMENTS, ZOO_TYPESPACE);
  const printed = await runToEnd(python, [join(HERE, 'check_bindings.py')], {
    cwd: folder,
    env: { PYTHONPATH: folder },
    input: `[${row},${args}]`,
  });
  const seen = JSON.parse(printed) as Readonly<Record<string, unknown>>;
  assert.deepEqual(seen['tables'], ['Alarm', 'EveryPrimitive', 'ZooAnimal']);
  assert.deepEqual(seen['reducers'], ['add_animal', 'delete', 'move_all']);
  assert.deepEqual(seen['row'], JSON.parse(row));
  assert.deepEqual(seen['args'], JSON.parse(args));
  assert.deepEqual(seen['seen'], [
    'ti"ger',
    'square',
    'leaf',
    'dark_green',
    '00000000-0000-0000-0000-0000000000ff',
  ]);
  passed('bindings of one of everything are read by the SDK, and rows come back as they were');
}

async function startServer(folder: string, programs: Program[]): Promise<string> {
  const words = ['start', join(ROOT, 'examples', 'chat'), '--port', '0', '--data-dir', join(folder, 'data')];
  const server = new Program('the server', process.execPath, [CLI, ...words], { cwd: folder });
  programs.push(server);
  const [, port] = await server.expect(/running at http:\/\/[^:]+:([0-9]+)/);
  return `127.0.0.1:${port}`;
}

async function chat(python: string, folder: string, host: string, programs: Program[]): Promise<void> {
  await cp(join(HERE, 'chat'), join(folder, 'client'), { recursive: true });
  await runToEnd(
    process.execPath,
    [
      CLI,
      'generate',
      '--lang',
      'python',
      '--out-dir',
      'module_bindings',
      '--project-path',
      join(ROOT, 'examples', 'chat'),
    ],
    { cwd: join(folder, 'client') },
  );
  const open = (name: string, ...words: readonly string[]): Program => {
    const program = new Program(name, python, ['main.py', ...words], {
      cwd: join(folder, 'client'),
      env: { HOME: folder, CHAT_HOST: host, PYTHONUNBUFFERED: '1' },
    });
    programs.push(program);
    return program;
  };
  const leaving: Promise<void>[] = [];
  const leave = (program: Program): void => {
    program.type('');
    leaving.push(checkEnd(program));
  };

  const ada = open('ada');
  const [, adaId] = await ada.expect(/([0-9a-f]{8}) is here\n[^]*\* connected\n/);
  ada.type('/name ada');
  await ada.expect(new RegExp(`${adaId} is now ada\\n`));
  ada.type('is anybody "out there"? é\u{1f600}');
  await ada.expect(/ada: is anybody "out there"\? é\u{1f600}\n/u);

  const bob = open('bob', '--client', '2');
  await bob.expect(/\* connected\nada: is anybody "out there"\? é\u{1f600}\n/u);
  const [, bobId] = await ada.expect(/([0-9a-f]{8}) is here\n/);
  assert.notEqual(bobId, adaId);
  bob.type('/name bob');
  await ada.expect(new RegExp(`${bobId} is now bob\\n`));
  bob.type('hi ada');
  await ada.expect(/bob: hi ada\n/);
  ada.type('hi bob');
  await bob.expect(/ada: hi bob\n/);
  passed('two clients of spacetimedb_sdk 0.7.0 talk through the server, in both directions');

  bob.type('/name  ');
  await bob.expect(/the name ' ' was refused: .*empty/);
  bob.type('  ');
  await bob.expect(/the message ' {2}' was refused: .*empty/);
  assert.doesNotMatch(ada.output, /refused/);
  passed('who is refused hears why, with his arguments; others hear nothing');

  leave(bob);
  await ada.expect(/bob has left\n/);
  const again = open('bob again', '--client', '2');
  await ada.expect(/bob is back\n/);
  await again.expect(/\* connected\nada: .*\nbob: hi ada\nada: hi bob\n/u);
  again.type('me again');
  await ada.expect(/bob: me again\n/);
  leave(again);
  leave(ada);
  await Promise.all(leaving);
  passed('the kept token brings back the same user, the backlog is in order, and everybody leaves in peace');
}

/**
 * The SDK's WebSocket library notices its own close at once or, if its reading thread comes second, after ten seconds;
 * the SDK gives up after five and trips over its own message about that. Both are so with every server.
 */
async function checkEnd(program: Program): Promise<void> {
  assert.equal(await program.exited, 0, program.output);
  const trace = /Exception in thread[^]*\nValueError: not enough values to unpack \(expected 2, got 1\)\n/;
  assert.doesNotMatch(program.output.replace(trace, ''), /Error|Exception|Traceback/, program.output);
}

async function smokeV1Json(python: string, folder: string, host: string): Promise<void> {
  const printed = await runToEnd(python, [join(HERE, 'smoke_v1_json.py'), host], { cwd: folder });
  assert.deepEqual(JSON.parse(printed), {
    subprotocol: 'v1.json.spacetimedb',
    users: 3,
    query_id: { id: 7 },
    reducer: 'set_name',
    args: ['json'],
    is_mine: true,
    connection_bits: true,
    deleted: [1, []],
    inserted: [0, 'json'],
  });
  passed('v1.json over websocket-client: subscribe, call, and the update with name and arguments');
}
