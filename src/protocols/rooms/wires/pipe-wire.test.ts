import { PassThrough } from 'node:stream';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { WireError } from '../../../base/wire-error.js';
import { connect, PipeServer } from './index.js';
import { encodePipeMessage, PipeDecoder } from './pipe-framing.js';
import { pipeChannel } from './pipe-wire.js';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the pipe wire', () => {
  it('is the documented bytes, however the stream is cut', () => {
    const bytes = encodePipeMessage(Uint8Array.of(0, 0, 1, 0), 'wiredb');
    expect(Buffer.from(bytes).toString('hex')).toBe('00000100e2a48379f04d6434');
    for (const framing of ['wiredb', 'length'] as const) {
      const decoder = new PipeDecoder(framing);
      const stream = Buffer.concat([1, 2, 3].map((n) => encodePipeMessage(Uint8Array.of(n, n), framing)));
      const got = Array.from(stream, (byte) => decoder.push(Uint8Array.of(byte))).flat();
      expect(got.map((message) => message[0])).toEqual([1, 2, 3]);
    }
  });

  it('a channel that is closed says so with the marker, once: a reader of wiredb hears of nothing else', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const channel = pipeChannel('r', { input, output }, 'wiredb');
    await channel.close();
    await channel.close();
    expect((output.read() as Buffer).toString('hex')).toBe('5083daf4c62f92d6');
  });

  it('an edit that it cannot carry ends the connection, not the edit', async () => {
    await using server = new PipeServer({ framing: 'wiredb' });
    const connection = await server.connect('r');
    await using client = await connect('pipe', { id: 'r', framing: 'wiredb', connection });
    client.doc.getText('t').insert(0, 'x'.repeat(70_000));
    await expect.poll(() => client.status).toBe('closed');
    expect(String(client.error)).toContain("both ends can use framing 'length'");
  });

  it('the stop marker ends it, and what it cannot carry is refused', () => {
    const decoder = new PipeDecoder('wiredb');
    decoder.push(Buffer.from('5083daf4c62f92d6', 'hex'));
    expect(decoder.isStopped).toBe(true);
    expect(() => encodePipeMessage(new Uint8Array(65_537), 'wiredb')).toThrow('cannot carry');
    expect(encodePipeMessage(new Uint8Array(65_536), 'wiredb')).toHaveLength(65_544);
    expect(() => new PipeDecoder('length').push(Uint8Array.of(255, 255, 255, 255))).toThrow(
      '4294967295 bytes',
    );
  });

  it.each(['length', 'wiredb'] as const)(
    'framing %s: whatever comes is messages or a WireError',
    (framing) => {
      fc.assert(
        fc.property(fc.array(fc.uint8Array()), fc.array(fc.uint8Array()), (messages, garbage) => {
          const decoder = new PipeDecoder(framing);
          const read = messages.flatMap((message) => decoder.push(encodePipeMessage(message, framing)));
          expect(read.map(hexOf)).toEqual(messages.map(hexOf));
          try {
            for (const chunk of garbage) decoder.push(chunk);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }),
      );
    },
  );
});
