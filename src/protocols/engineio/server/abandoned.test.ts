import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { RawClient } from '../../../../test/net/raw-client.js';
import { ask, openPolling, post, type ServedEngine, serveEngine } from '../../../../test/net/serve-engine.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const SOCKETS = 10;
const PER_SOCKET = 100;
const COUNT = SOCKETS * PER_SOCKET;
const VANISHING = 30;

const request = (query: string): string =>
  `GET /engine.io/?EIO=4&transport=polling${query} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Not `expect.poll`, which keeps something of each assertion until the test ends. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => void setImmediate(resolve));
}

/** A thousand handshakes on ten sockets, written at once. */
async function openMany({ port, engine }: ServedEngine): Promise<RawClient[]> {
  const before = engine.sessions.size;
  const clients = await Promise.all(
    Array.from({ length: SOCKETS }, async () => {
      const client = await RawClient.connect(port);
      client.send(request('').repeat(PER_SOCKET));
      return client;
    }),
  );
  await until(() => engine.sessions.size === before + COUNT);
  return clients;
}

/** Sends polls for sessions that have nothing to say; resolves when all of them wait. */
async function holdPolls({ engine }: ServedEngine, client: RawClient, ids: readonly string[]): Promise<void> {
  const before = engine.sessions.size;
  // The handshake behind them says that they were read.
  client.send([...ids.map((id) => request(`&sid=${id}`)), request('')].join(''));
  await until(() => engine.sessions.size > before);
}

/** A thousand sessions: some vanish while they poll, others stay there, half do not fetch what they are sent. */
async function abandonMany(served: ServedEngine): Promise<void> {
  const { engine, clock, ends, port } = served;
  const clients = await openMany(served);
  const ids = [...engine.sessions.keys()];
  for (const id of ids.slice(COUNT / 2)) engine.sessions.get(id)!.send('x'.repeat(1000));
  for (const id of ids.slice(0, VANISHING)) {
    const client = await RawClient.connect(port);
    await holdPolls(served, client, [id]);
    clients.push(client);
  }
  const staying = await RawClient.connect(port);
  await holdPolls(served, staying, ids.slice(VANISHING, COUNT / 2));
  for (const client of clients) client.destroy();
  await until(() => ends.length === VANISHING);
  clock.advance(25_100);
  clock.advance(20_100);
  staying.destroy();
  expect(engine.sessions.size).toBe(0);
  ends.length = 0;
}

/** What is in use once the sockets that are closed are gone. */
async function heapBytes(): Promise<number> {
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => void setImmediate(resolve));
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

describe('sessions that are abandoned', () => {
  it('by the thousand, with and without a poll, end on the clock alone', async () => {
    const served = await serveEngine();
    const { engine, clock, ends } = served;
    await openMany(served);
    clock.advance(25_100);
    expect(engine.sessions.size).toBe(COUNT);
    clock.advance(20_100);
    expect([engine.sessions.size, engine.wheel.count]).toEqual([0, 0]);
    expect(new Set(ends)).toEqual(new Set(['ping timeout']));
  });

  it('leave no memory behind, whatever waited for them', async () => {
    const served = await serveEngine();
    // What the first ones load stays.
    await abandonMany(served);
    const before = await heapBytes();
    const clients = await openMany(served);
    const held = (await heapBytes()) - before;
    for (const client of clients) client.destroy();
    served.clock.advance(25_100);
    served.clock.advance(20_100);
    served.ends.length = 0;
    for (let round = 0; round < 3; round++) await abandonMany(served);
    const left = (await heapBytes()) - before;
    // A session that lives holds 500 octets and more. What is left of none is some hundred KB of the runtime's own, 200 octets for each
    // at most; one that stays in a list somewhere, with what waits for it, is 1400.
    expect(held / COUNT).toBeGreaterThan(300);
    expect(left / (3 * COUNT)).toBeLessThan(300);
  });

  it('half-way through an upgrade lose the WebSocket, then go on polling', async () => {
    const { url, port, clock, engine } = await serveEngine();
    const sid = await openPolling(url);
    const socket = await RawClient.open(port, `/engine.io/?EIO=4&transport=websocket&sid=${sid}`);
    socket.sendFrame({ opcode: 1, payload: '2probe' });
    await socket.nextFrames(1);
    clock.advance(10_100);
    await socket.until(() => socket.frames.some(({ opcode }) => opcode === 8));
    expect(engine.sessions.get(sid)!.isUpgrading).toBe(false);
    await post(url, sid, '4x');
    expect(await (await ask(url, `&sid=${sid}`)).text()).toBe('4x');
  });

  it('after close() are given 30 s to fetch the rest', async () => {
    const { url, engine, clock, ends } = await serveEngine();
    const sid = await openPolling(url);
    engine.sessions.get(sid)!.send('last words');
    engine.sessions.get(sid)!.close();
    clock.advance(29_000);
    expect(engine.sessions.size).toBe(1);
    clock.advance(2_000);
    expect(ends).toEqual(['forced close: the client did not fetch the rest']);
  });
});
