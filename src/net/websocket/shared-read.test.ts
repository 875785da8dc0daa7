import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

import { expect, test } from 'vitest';

import { RawClient } from '../../../test/net/raw-client.js';
import { echo, serve } from '../../../test/net/serve.js';
import { readIntoShared } from './shared-read.js';

const NOBODY = { receive: () => {} };

async function socketPair(): Promise<{ accepted: Socket; client: Socket; end: () => void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  return { accepted, client, end: () => void (client.destroy(), server.close()) };
}

test('a TCP socket of this Node reads into the memory it is given', async () => {
  const { accepted, client, end } = await socketPair();
  const memory = new Uint8Array(1024);
  const chunks: Uint8Array[] = [];
  const adopted = readIntoShared(accepted, memory, {
    receive: (chunk) => void chunks.push(chunk),
  });
  client.write('hello');
  await expect.poll(() => chunks.length).toBe(1);
  expect(chunks[0]!.buffer).toBe(memory.buffer);
  expect(Buffer.from(chunks[0]!).toString()).toBe('hello');
  adopted!.successor.write('back');
  expect(String((await once(client, 'data'))[0])).toBe('back');
  adopted!.successor.destroy();
  end();
});

test('what had been read before is not lost', async () => {
  const { accepted, client, end } = await socketPair();
  client.write('early');
  await once(accepted, 'readable');
  const adopted = readIntoShared(accepted, new Uint8Array(1024), NOBODY);
  expect(String(adopted!.early)).toBe('early');
  adopted!.successor.destroy();
  end();
});

test('a peer that has ended is read on in its own socket', async () => {
  const { accepted, client, end } = await socketPair();
  client.end();
  await once(accepted, 'readable');
  expect(readIntoShared(accepted, new Uint8Array(1024), NOBODY)).toBeUndefined();
  end();
});

test('large messages that are echoed as they came do not overwrite each other', async () => {
  const { listener, port } = await serve();
  listener.addUpgradeRoute({ pattern: '/*path', accept: () => ({ kind: 'accept', open: echo }) });
  const clients = await Promise.all([RawClient.open(port), RawClient.open(port), RawClient.open(port)]);
  for (let round = 0; round < 20; round++) {
    for (const [i, client] of clients.entries())
      client.sendFrame({ opcode: 2, payload: Buffer.alloc(6_000, i + 1) });
    const answers = await Promise.all(clients.map((client) => client.nextFrames(1)));
    for (const [i, [frame]] of answers.entries()) {
      expect(Buffer.from(frame!.payload).equals(Buffer.alloc(6_000, i + 1))).toBe(true);
    }
  }
});
