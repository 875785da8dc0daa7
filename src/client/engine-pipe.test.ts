import { describe, expect, onTestFinished, test } from 'vitest';
import { Client } from '../protocols/engineio/client/index.node.js';
import { connect } from './wamp.node.js';
import { createServer } from '../server/create-server.js';
import type { ChoraleServer, ServerOptions } from '../server/create-server.js';
import { attemptsOf, openEnginePipe } from './engine-pipe.js';
import type { Pipe, PipeRequest } from './engine-pipe.js';

type Transports = PipeRequest['transports'];

/** Every client that a pipe has made, with the way that it took. */
const made: Client[] = [];
class WatchedClient extends Client {
  constructor(...parameters: ConstructorParameters<typeof Client>) {
    super(...parameters);
    made.push(this);
  }
}

async function start(engineio: ServerOptions['engineio'] = {}): Promise<ChoraleServer> {
  made.length = 0;
  const server = await createServer({
    wamp: { realms: { realm1: {} } },
    engineio,
    onNotice() {},
    onError() {},
  });
  onTestFinished(() => server.close({ drainMs: 0 }));
  return server;
}

async function open(
  server: ChoraleServer,
  transports: Transports,
  more: Partial<PipeRequest> = {},
): Promise<Pipe> {
  const url = new URL('/ws', server.url);
  const pipe = await openEnginePipe(WatchedClient, { url, protocols: ['wamp.2.json'], transports, ...more });
  onTestFinished(() => pipe.close());
  return pipe;
}

const HELLO = '[1,"realm1",{"roles":{"caller":{}}}]';

/** What comes, and how it ends. */
function listen(pipe: Pipe): string[] {
  const trace: string[] = [];
  pipe.attach({
    onMessage: (data) => trace.push(`message ${String(data).slice(0, 3)}`),
    onClose: (reason, isInOrder) => trace.push(`close ${reason} ${isInOrder}`),
  });
  return trace;
}

test('websocket first: each way is tried for itself; polling first: it is upgraded', () => {
  expect(attemptsOf(['websocket', 'polling'])).toEqual([['websocket'], ['polling']]);
  expect(attemptsOf(['polling', 'websocket'])).toEqual([['polling', 'websocket']]);
  expect(attemptsOf(['polling'])).toEqual([['polling']]);
});

describe('a pipe', () => {
  test.each<[Transports, string]>([
    [['websocket', 'polling'], 'websocket'],
    [['polling', 'websocket'], 'websocket'],
    [['polling'], 'polling'],
  ])('asked for %j goes over %s', async (transports, expected) => {
    const pipe = await open(await start(), transports);
    expect(pipe.protocol).toBe('wamp.2.json');
    const trace = listen(pipe);
    await expect.poll(() => made[0]!.transport()).toBe(expected);
    pipe.send(HELLO);
    await expect.poll(() => trace).toEqual(['message [2,']);
    pipe.close();
    await expect.poll(() => trace.at(-1)).toBe('close client disconnect true');
  });

  test('falls back to polling where there is no WebSocket', async () => {
    const pipe = await open(await start({ transports: ['polling'] }), ['websocket', 'polling']);
    const trace = listen(pipe);
    pipe.send(HELLO);
    await expect.poll(() => trace).toEqual(['message [2,']);
    expect(made.map((client) => client.transport())).toEqual(['websocket', 'polling']);
  });

  test('tells that the server has gone', async () => {
    const server = await start();
    const trace = listen(await open(server, ['websocket']));
    await server.close({ drainMs: 0 });
    await expect
      .poll(() => trace)
      .toEqual([expect.stringMatching(/^close (server disconnect true|transport error false)$/)]);
  });

  test('fails with the last reason, and speaks no protocol that the server does not', async () => {
    const server = await start({ transports: ['polling'] });
    await expect(open(server, ['websocket'])).rejects.toThrow();
    await expect(open(server, ['polling'], { protocols: ['nonsense'] })).rejects.toThrow(
      'Unexpected status code 4',
    );
    const options = { realm: 'realm1', transports: ['websocket'] as const };
    await expect(connect(server.url, options)).rejects.toMatchObject({ code: 'TRANSPORT' });
  });

  test('is given up when asked to, and nothing else is tried then', async () => {
    const server = await start();
    await expect(open(server, ['polling'], { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    const giveUp = new AbortController();
    const opening = open(server, ['websocket', 'polling'], { signal: giveUp.signal });
    giveUp.abort();
    await expect(opening).rejects.toThrow();
    expect(made.length).toBe(1);
  });
});
