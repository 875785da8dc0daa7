import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { jsonSerializer } from '../serializer/json.js';
import { msgpackSerializer } from '../serializer/msgpack.js';
import { openRawSocket } from './rawsocket.node.js';
import type { Frame, Transport } from './transport.js';

/** A router's end, which says byte by byte what the test wants. */
class RawRouter {
  readonly sockets: Socket[] = [];
  readonly received: Buffer[] = [];
  #server!: Server;

  /** `answer`: to each connection's handshake, in turn. */
  async listen(answers: readonly (readonly number[])[], path?: string): Promise<URL> {
    this.#server = createServer((socket) => {
      const answer = answers[this.sockets.length] ?? answers.at(-1)!;
      this.sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (chunk) => this.received.push(chunk));
      socket.write(Uint8Array.from(answer));
    });
    await new Promise<void>((resolve) => {
      if (path === undefined) this.#server.listen(0, '127.0.0.1', resolve);
      else this.#server.listen(path, resolve);
    });
    if (path !== undefined) return new URL(`unix://${path}`);
    return new URL(`tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

const JSON_OK = [0x7f, 0xf1, 0, 0];
const [JSON_HELLO, MSGPACK_HELLO] = [
  [0x7f, 0xf1, 0, 0],
  [0x7f, 0xf2, 0, 0],
];

describe('RawSocket', () => {
  const routers: RawRouter[] = [];

  afterEach(() => {
    for (const router of routers.splice(0)) router.close();
  });

  function start(): RawRouter {
    const router = new RawRouter();
    routers.push(router);
    return router;
  }

  async function opened(): Promise<{
    router: RawRouter;
    transport: Transport;
    frames: Frame[];
    ends: unknown[];
  }> {
    const router = start();
    const transport = await openRawSocket({
      url: await router.listen([JSON_OK]),
      serializers: [jsonSerializer],
    });
    const [frames, ends]: [Frame[], unknown[]] = [[], []];
    transport.attach({
      onFrame: (frame) => frames.push(frame),
      onClose: (_, cause) => ends.push(cause),
    });
    return { router, transport, frames, ends };
  }

  const text = (frame: Frame): string => Buffer.from(frame as Uint8Array).toString();

  test('asks for the longest messages, and takes the length that the router answers', async () => {
    const router = start();
    const url = await router.listen([[0x7f, 0x31, 0, 0]]);
    const transport = await openRawSocket({ url, serializers: [jsonSerializer] });
    await expect.poll(() => [...router.bytes]).toEqual(JSON_HELLO);
    expect([transport.serializer.name, transport.frameBytesMax]).toEqual(['json', 4096]);
  });

  test('asks again with the next serializer when the router does not speak the first', async () => {
    const router = start();
    const url = await router.listen([[0x7f, 0x10, 0, 0], JSON_OK]);
    const transport = await openRawSocket({ url, serializers: [msgpackSerializer, jsonSerializer] });
    expect(transport.serializer.name).toBe('json');
    await expect.poll(() => [...router.bytes]).toEqual([...MSGPACK_HELLO, ...JSON_HELLO]);
  });

  test.each([
    ['length', [0x7f, 0x20, 0, 0], 'length'],
    ['connections', [0x7f, 0x40, 0, 0], 'too many connections'],
    ['protocol', [...Buffer.from('HTTP')], 'does not speak RawSocket'],
    ['serializer', [0x7f, 0xf2, 0, 0], 'another serializer'],
  ])('rejects when the router refuses: %s', async (_, answer, reason) => {
    const url = await start().listen([answer]);
    await expect(openRawSocket({ url, serializers: [jsonSerializer] })).rejects.toThrow(reason);
  });

  test('rejects when nobody listens, and when it is given up', async () => {
    const url = new URL('tcp://127.0.0.1:1');
    await expect(openRawSocket({ url, serializers: [jsonSerializer] })).rejects.toMatchObject({
      code: 'TRANSPORT',
    });
    const silent = await start().listen([[]]);
    const opening = openRawSocket({
      url: silent,
      serializers: [jsonSerializer],
      signal: AbortSignal.timeout(20),
    });
    await expect(opening).rejects.toMatchObject({ code: 'TRANSPORT' });
  });

  test('reads frames however they are cut', async () => {
    const { router, frames } = await opened();
    const bytes = Buffer.from([0, 0, 0, 2, 0x5b, 0x5d, 0, 0, 0, 3, 0x5b, 0x31, 0x5d, 0, 0, 0, 0]);
    for (const byte of bytes) {
      router.sockets[0]!.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    router.sockets[0]!.write(bytes);
    await expect.poll(() => frames.map(text)).toEqual(['[]', '[1]', '', '[]', '[1]', '']);
  });

  test('answers pings with what they hold', async () => {
    const { router, frames } = await opened();
    router.sockets[0]!.write(Uint8Array.of(1, 0, 0, 2, 7, 8, 2, 0, 0, 1, 9));
    await expect.poll(() => [...router.bytes.subarray(4)]).toEqual([2, 0, 0, 2, 7, 8]);
    expect(frames).toEqual([]);
  });

  test('carries 16 MiB, whose length is a bit of its own, and all frames of one turn', async () => {
    const { router, transport, frames } = await opened();
    const longest = new Uint8Array(2 ** 24).fill(0x20);
    transport.send(['[1]', longest]);
    await expect.poll(() => router.bytes.length).toBe(4 + 4 + 3 + 4 + 2 ** 24);
    expect([...router.bytes.subarray(4, 15)]).toEqual([0, 0, 0, 3, 0x5b, 0x31, 0x5d, 8, 0, 0, 0]);
    router.sockets[0]!.write(Uint8Array.of(8, 0, 0, 0));
    router.sockets[0]!.write(longest);
    await expect.poll(() => frames.map((frame) => frame.length)).toEqual([2 ** 24]);
  });

  test.each([
    ['an unknown type', [3, 0, 0, 0]],
    ['reserved bits', [0x10, 0, 0, 0]],
  ])('ends with a frame of %s', async (_, bytes) => {
    const { router, ends } = await opened();
    router.sockets[0]!.write(Uint8Array.from(bytes));
    await expect.poll(() => ends).toEqual([expect.any(Error)]);
  });

  test('goes over Unix sockets, too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rawsocket-'));
    const router = start();
    const url = await router.listen([JSON_OK], join(folder, 'wamp.sock'));
    const transport = await openRawSocket({ url, serializers: [jsonSerializer] });
    const ends: unknown[] = [];
    transport.attach({ onFrame: () => {}, onClose: (_, cause) => ends.push(cause) });
    transport.close();
    await expect.poll(() => ends).toEqual([undefined]);
    await rm(folder, { recursive: true });
  });
});
