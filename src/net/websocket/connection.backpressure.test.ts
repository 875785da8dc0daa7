import { setImmediate as nextRound } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { ManualClock } from '../../base/clock.js';
import { clientFrame, RawClient } from '../../../test/net/raw-client.js';
import { serveTraced } from '../../../test/net/serve.js';

const KIB = 1024;
const limits = { webSocket: { sendSoftBytes: 256 * KIB, sendHardBytes: 1024 * KIB, pingMs: 0, idleMs: 0 } };

test('a reader that has stopped is told about once, costs no more than the hard limit, and is closed with 1013', async () => {
  const server = await serveTraced({ limits, clock: new ManualClock() });
  const client = await RawClient.open(server.port);
  const connection = await server.first();
  client.socket.pause();
  let most = 0;
  let sent = 0;
  // oxlint-disable-next-line no-unmodified-loop-condition -- the getter changes
  while (connection.isOpen) {
    connection.sendBinary(Buffer.alloc(10 * KIB, sent++));
    most = Math.max(most, connection.bufferedBytes);
    await nextRound();
  }
  expect(most).toBeLessThanOrEqual(1024 * KIB + 11 * KIB);
  expect(server.trace).toEqual(['+', 'overflow']);
  client.socket.resume();
  await client.until(() => client.frames.some(({ opcode }) => opcode === 8));
  expect(client.frames.at(-1)?.payload.readUInt16BE()).toBe(1013);
  // What did arrive are the first messages, whole and in order.
  const received = client.frames.filter(({ opcode }) => opcode === 2);
  expect(received.length).toBeGreaterThan(10);
  expect(received.length).toBeLessThan(sent);
  received.forEach(({ payload }, i) => expect(payload.equals(Buffer.alloc(10 * KIB, i))).toBe(true));
});

test('tiny messages to a reader that has stopped are packed: they cost little more than their octets', async () => {
  const server = await serveTraced({ limits, clock: new ManualClock() });
  const client = await RawClient.open(server.port);
  const connection = await server.first();
  client.socket.pause();
  while (!server.trace.includes('overflow')) {
    connection.sendBinary(Buffer.alloc(30 * KIB));
    await nextRound();
  }
  let sent = 0;
  const before = connection.bufferedBytes;
  for (; sent < 2000; sent++) {
    connection.sendBinary(Buffer.of(sent >> 8, sent & 0xff));
    await nextRound();
  }
  expect(connection.bufferedBytes).toBe(before + sent * 4);
  client.socket.resume();
  await client.until(() => client.frames.filter(({ payload }) => payload.length === 2).length === sent);
  const numbers = client.frames.filter(({ payload }) => payload.length === 2);
  expect(numbers.map(({ payload }) => payload.readUInt16BE())).toEqual(
    Array.from({ length: sent }, (_, i) => i),
  );
});

test('a reader that catches up hears of it and gets everything', async () => {
  const server = await serveTraced({ limits, clock: new ManualClock() });
  const client = await RawClient.open(server.port);
  const connection = await server.first();
  client.socket.pause();
  let sent = 0;
  while (!server.trace.includes('overflow')) {
    connection.sendBinary(Buffer.alloc(30 * KIB, sent++));
    await nextRound();
  }
  client.socket.resume();
  await server.until(() => server.trace.includes('drain'));
  connection.sendText('end');
  await client.until(() => client.frames.some(({ opcode }) => opcode === 1));
  expect(client.frames).toHaveLength(sent + 1);
  expect(server.trace).toEqual(['+', 'overflow', 'drain']);
});

test('one message above the hard limit goes through to a reader that reads', async () => {
  const server = await serveTraced({ limits });
  const client = await RawClient.open(server.port);
  await server.until(() => server.connections.length === 1);
  for (const connection of server.connections) connection.sendBinary(Buffer.alloc(5_000_000, 7));
  const frames = await client.nextFrames(1);
  expect(frames.map(({ payload }) => payload.equals(Buffer.alloc(5_000_000, 7)))).toEqual([true]);
});

test('a flood of pings from a peer that does not read stops being read', async () => {
  const server = await serveTraced({ limits, clock: new ManualClock() });
  const client = await RawClient.open(server.port);
  const connection = await server.first();
  client.socket.pause();
  const flood = Buffer.concat(
    Array.from({ length: 1000 }, () => clientFrame({ opcode: 9, payload: 'x'.repeat(125) })),
  );
  // The kernel takes what the server reads; when it takes no more, the server has stopped.
  let isTaken = true;
  const overflowed = server.until(() => server.trace.includes('overflow'));
  for (let i = 0; i < 400 && isTaken; i++) {
    isTaken = await Promise.race([
      new Promise<boolean>((resolve) => void client.socket.write(flood, () => resolve(true))),
      overflowed.then(() => false),
    ]);
  }
  expect(isTaken).toBe(false);
  expect(connection.isOpen).toBe(true);
  expect(connection.bufferedBytes).toBeLessThan(512 * KIB);
  client.destroy();
});
