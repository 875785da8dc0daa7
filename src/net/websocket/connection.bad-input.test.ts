import { describe, expect, test } from 'vitest';

import { ManualClock } from '../../base/clock.js';
import { clientFrame, type FrameOptions, RawClient } from '../../../test/net/raw-client.js';
import { serveTraced } from '../../../test/net/serve.js';

const text = 1;
const binary = 2;
const close = 8;
const ping = 9;

const cases: [name: string, frames: FrameOptions[], code: number][] = [
  ['an unmasked frame', [{ opcode: binary, payload: 'x', isMasked: false }], 1002],
  ['RSV1, which is compression', [{ opcode: binary, payload: 'x', reserved: 4 }], 1002],
  ['RSV2', [{ opcode: binary, payload: 'x', reserved: 2 }], 1002],
  ['RSV3', [{ opcode: ping, reserved: 1 }], 1002],
  ['data opcode 3', [{ opcode: 3, payload: 'x' }], 1002],
  ['data opcode 7', [{ opcode: 7 }], 1002],
  ['control opcode 11', [{ opcode: 11 }], 1002],
  ['control opcode 15', [{ opcode: 15 }], 1002],
  ['a continuation of nothing', [{ opcode: 0, payload: 'x' }], 1002],
  ['a fragmented ping', [{ opcode: ping, isFinal: false }], 1002],
  ['a ping of 126 bytes', [{ opcode: ping, payload: 'x'.repeat(126) }], 1002],
  ['a close frame of one byte', [{ opcode: close, payload: 'x' }], 1002],
  ['close code 999', [{ opcode: close, payload: Uint8Array.of(3, 231) }], 1002],
  ['close code 1004', [{ opcode: close, payload: Uint8Array.of(3, 236) }], 1002],
  ['close code 1005', [{ opcode: close, payload: Uint8Array.of(3, 237) }], 1002],
  ['close code 1006', [{ opcode: close, payload: Uint8Array.of(3, 238) }], 1002],
  ['close code 1015', [{ opcode: close, payload: Uint8Array.of(3, 247) }], 1002],
  ['close code 2999', [{ opcode: close, payload: Uint8Array.of(11, 183) }], 1002],
  ['close code 5000', [{ opcode: close, payload: Uint8Array.of(19, 136) }], 1002],
  ['a close reason that is not UTF-8', [{ opcode: close, payload: Uint8Array.of(3, 232, 0xff) }], 1007],
  ['text that is not UTF-8', [{ opcode: text, payload: Uint8Array.of(0x61, 0xc3, 0x28) }], 1007],
  ['text that ends inside a character', [{ opcode: text, payload: Uint8Array.of(0xe2, 0x82) }], 1007],
  ['a surrogate in text', [{ opcode: text, payload: Uint8Array.of(0xed, 0xa0, 0x80) }], 1007],
  ['a length of 4 GiB', [{ opcode: binary, claim: 1n << 32n }], 1009],
  ['a length of 2^53', [{ opcode: binary, claim: 1n << 53n }], 1009],
  ['a length with its top bit set', [{ opcode: binary, claim: 1n << 63n }], 1002],
  ['a message one byte above the limit', [{ opcode: binary, payload: 'x'.repeat(1001) }], 1009],
  [
    'a second message inside a fragmented one',
    [
      { opcode: text, payload: 'a', isFinal: false },
      { opcode: text, payload: 'b' },
    ],
    1002,
  ],
  [
    'fragments that together are one byte above the limit',
    [
      { opcode: binary, payload: 'x'.repeat(600), isFinal: false },
      { opcode: 0, payload: 'x'.repeat(401) },
    ],
    1009,
  ],
  [
    'one fragment above the limit',
    [{ opcode: binary, isFinal: false }, ...Array.from({ length: 4 }, () => ({ opcode: 0, isFinal: false }))],
    1008,
  ],
];

const limits = { webSocket: { messageBytesMax: 1000, fragmentsMax: 4 } };

describe('bad frames close their own connection with the right code, others go on', () => {
  test.each(cases)('%s', async (_name, frames, code) => {
    const server = await serveTraced({ limits });
    const good = await RawClient.open(server.port);
    const bad = await RawClient.open(server.port);
    // What follows a bad frame is not looked at.
    bad.send(...frames.map(clientFrame), clientFrame({ opcode: binary, payload: 'after' }));
    expect(await bad.closeCode()).toBe(code);
    good.sendFrame({ opcode: text, payload: 'still here' });
    await server.until(() => server.trace.includes('"still here"'));
    expect(server.trace).not.toContain(Buffer.from('after').toString('hex'));
    await server.until(() => server.trace.some((line) => line.startsWith(`- ${code}`)));
    expect(server.errors).toEqual([]);
  });

  test.each(cases)('%s, one octet at a time', async (_name, frames, code) => {
    const server = await serveTraced({ limits });
    const bad = await RawClient.open(server.port);
    for (const octet of Buffer.concat(frames.map(clientFrame))) bad.send(Uint8Array.of(octet));
    expect(await bad.closeCode()).toBe(code);
  });
});

describe('at the limit', () => {
  test('a message of the largest size in the most fragments arrives', async () => {
    const server = await serveTraced({ limits });
    const client = await RawClient.open(server.port);
    client.sendFrame({ opcode: binary, payload: Buffer.alloc(1000) });
    for (let i = 0; i < 4; i++) {
      client.sendFrame({ opcode: i === 0 ? binary : 0, payload: Buffer.alloc(250), isFinal: i === 3 });
    }
    await server.until(() => server.trace.filter((line) => line === '00'.repeat(1000)).length === 2);
  });

  test('a control frame of 125 bytes and close codes 1000, 1014, 3000 and 4999 are fine', async () => {
    const server = await serveTraced({ limits });
    for (const code of [1000, 1014, 3000, 4999]) {
      const client = await RawClient.open(server.port);
      client.sendFrame({ opcode: ping, payload: 'x'.repeat(125) });
      client.sendFrame({ opcode: close, payload: Buffer.of(code >> 8, code & 0xff, 0x6f, 0x6b) });
      expect(await client.closeCode()).toBe(code);
      await server.until(() => server.trace.includes(`- ${code} ok`));
    }
  });
});

test('a ping between fragments is answered at once, with its payload', async () => {
  const server = await serveTraced();
  const client = await RawClient.open(server.port);
  client.sendFrame({ opcode: text, payload: 'grü', isFinal: false });
  client.sendFrame({ opcode: ping, payload: 'are you there' });
  const pong = await client.nextFrames(1);
  expect(pong.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([[10, 'are you there']]);
  client.sendFrame({ opcode: 0, payload: Buffer.from('ß').subarray(0, 1), isFinal: false });
  client.sendFrame({ opcode: 0, payload: Buffer.from('ß').subarray(1) });
  await server.until(() => server.trace.includes('"grüß"'));
});

test('a pong that nobody asked for is ignored', async () => {
  const server = await serveTraced();
  const client = await RawClient.open(server.port);
  client.sendFrame({ opcode: 10, payload: 'unasked' });
  client.sendFrame({ opcode: text, payload: 'next' });
  await server.until(() => server.trace.includes('"next"'));
});

test('a message that never ends is given up', async () => {
  const clock = new ManualClock();
  const limits = { webSocket: { idleMs: 0, pingMs: 0, messageMs: 60_000 } };
  const server = await serveTraced({ clock, limits });
  const client = await RawClient.open(server.port);
  client.sendFrame({ opcode: binary, payload: 'a', isFinal: false });
  // The answer to the ping shows that the fragment was read.
  client.sendFrame({ opcode: ping });
  await client.nextFrames(1);
  clock.advance(59_900);
  client.sendFrame({ opcode: 0, payload: 'b', isFinal: false });
  client.sendFrame({ opcode: ping });
  await client.nextFrames(1);
  expect(server.connections.map(({ isOpen }) => isOpen)).toEqual([true]);
  clock.advance(200);
  expect(await client.closeCode()).toBe(1008);
});

test('a connection that ends inside a frame is reported once, with 1006', async () => {
  const server = await serveTraced();
  const client = await RawClient.open(server.port);
  client.send(clientFrame({ opcode: binary, payload: 'x'.repeat(300) }).subarray(0, 100));
  client.socket.end();
  await server.until(() => server.trace.includes('- 1006'));
  expect(server.trace).toEqual(['+', '- 1006']);
});

test('a reset connection is reported once, with 1006', async () => {
  const server = await serveTraced();
  const client = await RawClient.open(server.port);
  await server.until(() => server.trace.length === 1);
  client.socket.resetAndDestroy();
  await server.until(() => server.trace.includes('- 1006'));
  expect(server.trace).toEqual(['+', '- 1006']);
});

test('what a handler throws closes its own connection with 1011 and is told to the operator only', async () => {
  const server = await serveTraced();
  const good = await RawClient.open(server.port);
  const bad = await RawClient.open(server.port);
  bad.send(clientFrame({ opcode: text, payload: 'throw' }), clientFrame({ opcode: text, payload: 'after' }));
  expect(await bad.closeCode()).toBe(1011);
  expect(bad.frames.map(({ payload }) => payload.toString()).join()).not.toContain('threw');
  good.sendFrame({ opcode: text, payload: 'fine' });
  await server.until(() => server.trace.includes('"fine"'));
  expect(server.errors).toEqual(['message: Error: the handler threw']);
  expect(server.trace).not.toContain('"after"');
});
