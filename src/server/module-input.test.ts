import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  type Connect,
  type Fields,
  overMemory,
  overWebSocket,
  Peer,
} from '../../test/conformance/wamp-peer.js';
import { schema } from '../module/index.js';
import { loadModule } from '../module/load-module.js';
import { jsonSerializer } from '../protocols/wamp/messages/json.js';
import type { Session } from '../protocols/wamp/server/session.js';
import { type ChoraleServer, createServer } from './create-server.js';

/*
 * Progressive calls of procedures of a module, seen by raw peers.
 */

// What a chunk `[1]` of a peer in the process is counted as.
const CHUNK_BYTES = 443;
const QUEUE_BYTES = 10 * CHUNK_BYTES;

let server: ChoraleServer;
let peer: Peer;
let session: Session;
/** What the procedures saw. */
const seen: unknown[] = [];
const errors: unknown[] = [];
let mayRead: Promise<void>;
let letRead: () => void;

const app = schema({});
const sum = app.rpc('com.sum', async function* (ctx, ...first: number[]) {
  seen.push(first, ctx.procedure);
  let total = 0;
  for await (const { args, kwargs } of ctx.input) {
    total += Number(args[0] ?? 0) + Number(kwargs['bonus'] ?? 0);
    yield total;
  }
  return total;
});
const collect = app.rpc('com.collect', async (ctx) => {
  const chunks: unknown[] = [];
  await mayRead;
  try {
    for await (const { args } of ctx.input) chunks.push(args[0]);
  } catch (error) {
    seen.push([(error as Error).name, ctx.signal.aborted, chunks.length]);
    throw error;
  }
  return chunks.length;
});
const ignore = app.rpc('com.ignore', (_ctx, first: number) => first);
const late = app.rpc('com.late', async (ctx) => {
  setImmediate(() => {
    const again = ctx.input[Symbol.asyncIterator]();
    again.next().catch((error: unknown) => void seen.push((error as Error).name));
  });
  await Promise.resolve();
});

async function join(connect: Connect = overMemory): Promise<[Peer, Session]> {
  const place = { router: server.wamp, url: server.url, port: server.port, unixPath: '' };
  const joined = await Peer.join(place, connect, {}, 'app');
  return [joined, server.wamp.realm('app')!.sessions.get(joined.session)!];
}

beforeEach(async () => {
  letRead = () => {};
  mayRead = Promise.resolve();
  server = await createServer({
    databases: { app: loadModule({ default: app, sum, collect, ignore, late }) },
    wamp: { limits: { queueBytes: QUEUE_BYTES } },
    engineio: false,
    onError: (error) => void errors.push(error),
  });
  [peer, session] = await join();
});
afterEach(async () => {
  letRead();
  await server.close({ drainMs: 0 });
  seen.length = 0;
  expect(errors.splice(0)).toEqual([]);
  expect(server.database('app')?.moduleLog.tail() ?? []).toEqual([]);
});

function holdReading(): void {
  mayRead = new Promise((resolve) => (letRead = resolve));
}

const more = (request: number, procedure: string, ...args: unknown[]): void =>
  peer.send(48, request, { progress: true, receive_progress: true }, procedure, args);

describe('the input of a procedure', () => {
  it('is what the caller sends, as it comes, and the last of it ends it', async () => {
    more(1, 'com.sum', 1);
    expect(await peer.next()).toEqual([50, 1, { progress: true }, [1]]);
    more(1, 'com.sum', 2);
    expect(await peer.next()).toEqual([50, 1, { progress: true }, [3]]);
    peer.send(48, 1, {}, 'com.sum', [3], { bonus: 10 });
    expect([await peer.next(), await peer.next()]).toEqual([
      [50, 1, { progress: true }, [16]],
      [50, 1, {}, [16]],
    ]);
    expect(seen).toEqual([[1], 'com.sum']);
    expect(session.inputBytes).toBe(0);
  });

  it('of an ordinary call is its arguments', async () => {
    expect(await peer.call('com.sum', [4], { bonus: 1 })).toEqual([5]);
    expect(await peer.call('com.collect')).toEqual([1]);
  });

  it('has what came before the procedure began, in order', async () => {
    const [other] = await join(overWebSocket(jsonSerializer));
    // One write, so all of it is there before anything runs.
    for (let n = 1; n <= 8; n++) other.send(48, 1, { progress: true }, 'com.collect', [n]);
    other.send(48, 1, {}, 'com.collect', [9]);
    expect(await other.next()).toEqual([50, 1, {}, [9]]);
  });

  it('need not be read: the answer may come first, and what is sent then is late and no fault', async () => {
    more(1, 'com.ignore', 7);
    more(1, 'com.ignore', 8);
    expect(await peer.next()).toEqual([50, 1, {}, [7]]);
    more(1, 'com.ignore', 9);
    expect(await peer.call('com.ignore', [1])).toEqual([1]);
    expect(session.inputBytes).toBe(0);
    peer.send(48, 3, { progress: true }, 'com.late');
    expect(await peer.next()).toEqual([50, 3, {}]);
    await expect.poll(() => seen).toEqual(['AbortError']);
  });
});

describe('a caller who is ahead', () => {
  it('may be by as much as the limit, and by no chunk more', async () => {
    holdReading();
    // The first one is not counted, as that of any call, and the one that goes past the limit is the last that is taken.
    for (let n = 0; n <= 11; n++) more(1, 'com.collect', 1);
    expect(await peer.drain()).toEqual([]);
    expect(session.inputBytes).toBe(11 * CHUNK_BYTES);
    more(1, 'com.collect', 1);
    const answer = [8, 48, 1, {}, 'wamp.error.network_failure', ['the callee reads too slowly']];
    expect(await peer.drain()).toEqual([answer]);
    expect(session.inputBytes).toBe(0);
    letRead();
    await expect.poll(() => seen).toEqual([['AbortError', true, 0]]);
    expect(await peer.call('com.collect')).toEqual([1]);
  });

  it('is limited over all of its calls, and nobody else is', async () => {
    holdReading();
    for (let n = 0; n <= 5; n++) {
      more(1, 'com.collect', 1);
      more(2, 'com.collect', 1);
    }
    more(1, 'com.collect', 1);
    more(2, 'com.collect', 1);
    more(1, 'com.collect', 1);
    expect((await peer.drain()).map(([, , request]) => request)).toEqual([2]);
    expect(session.inputBytes).toBe(7 * CHUNK_BYTES);
    const [other] = await join();
    for (let n = 0; n <= 6; n++) other.send(48, 1, { progress: true }, 'com.collect', [1]);
    expect(await other.drain()).toEqual([]);
    peer.close();
    letRead();
    other.send(48, 1, {}, 'com.collect');
    expect(await other.next()).toEqual([50, 1, {}, [8]]);
    expect(session.inputBytes).toBe(0);
  });

  it('may send as much as it likes to who reads', async () => {
    const [other] = await join(overWebSocket(jsonSerializer));
    for (let n = 1; n < 2000; n++) {
      other.send(48, 1, { progress: true, receive_progress: true }, 'com.sum', [1]);
      expect(await other.next()).toEqual([50, 1, { progress: true }, [n]]);
    }
    other.close();
  });
});

describe('a canceled progressive call', () => {
  const canceled = (request: number): Fields => [8, 48, request, {}, 'wamp.error.canceled'];

  it.each(['kill', 'killnowait', 'skip'])('with mode %s ends the input with an AbortError', async (mode) => {
    more(1, 'com.collect', 1);
    more(1, 'com.collect', 2);
    await peer.drain();
    peer.send(49, 1, { mode });
    expect(await peer.next()).toEqual(canceled(1));
    await expect.poll(() => seen).toEqual([['AbortError', true, 2]]);
    more(1, 'com.collect', 3);
    expect(await peer.drain()).toEqual([]);
    expect(session.inputBytes).toBe(0);
  });

  it('lets go of what was not read, also when the caller leaves or its time is over', async () => {
    holdReading();
    more(1, 'com.collect', 1);
    more(1, 'com.collect', 2);
    const [hurried, hurriedSession] = await join();
    for (let n = 0; n < 3; n++) hurried.send(48, 1, { progress: true, timeout: 50 }, 'com.collect', [n]);
    await peer.drain();
    expect([session.inputBytes, hurriedSession.inputBytes]).toEqual([CHUNK_BYTES, 2 * CHUNK_BYTES]);
    peer.close();
    expect((await hurried.next())[4]).toBe('wamp.error.timeout');
    expect([session.inputBytes, hurriedSession.inputBytes]).toEqual([0, 0]);
    letRead();
    await expect.poll(() => seen.length).toBe(2);
  });

  it.each(['kill', 'killnowait'])(
    'that was canceled with mode %s before it began never begins',
    async (mode) => {
      more(1, 'com.sum', 1);
      more(1, 'com.sum', 2);
      peer.send(49, 1, { mode });
      expect(await peer.next()).toEqual(canceled(1));
      expect(await peer.drain()).toEqual([]);
      expect([seen, session.inputBytes]).toEqual([[], 0]);
    },
  );
});
