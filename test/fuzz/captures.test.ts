import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ByteReader } from '../../src/base/byte-reader.js';
import { WireError } from '../../src/base/wire-error.js';
import { decodeClientMessage } from '../../src/protocols/spacetimedb/messages/client-messages.js';
import { decodeServerMessage } from '../../src/protocols/spacetimedb/messages/server-messages.js';
import { clientFrame, RawClient } from '../net/raw-client.js';
import { PROBE_DATABASE, startProbeServer } from '../conformance/probe/server.js';

/* Frames that the npm SDK and our server exchanged (interop/capture.test.ts writes them), with wounds. */

const capture = JSON.parse(readFileSync(new URL('npm-spacetimedb-2.10.1.json', import.meta.url), 'utf8')) as {
  readonly client: readonly string[];
  readonly server: readonly string[];
};
const clientFrames = capture.client.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
const serverFrames = capture.server.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')).subarray(1));

/** One frame with some octets changed, a part taken out, and its end cut off. */
function wounded(frames: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const octet = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
  const share = fc.double({ min: 0, max: 0.9999, noNaN: true });
  return fc
    .tuple(
      fc.constantFrom(...frames),
      fc.array(fc.tuple(share, octet), { maxLength: 6 }),
      fc.option(fc.tuple(share, fc.nat({ max: 40 })), { nil: undefined }),
      fc.option(share, { nil: undefined }),
    )
    .map(([frame, changes, hole, end]) => {
      const bytes = [...frame];
      for (const [at, value] of changes) bytes[Math.floor(at * bytes.length)] = value;
      if (hole !== undefined) bytes.splice(Math.floor(hole[0] * bytes.length), hole[1]);
      return Uint8Array.from(end === undefined ? bytes : bytes.slice(0, Math.floor(end * bytes.length)));
    });
}

/** All messages of a frame, or the WireError that ends it. */
function decodeAll(frame: Uint8Array, decode: (reader: ByteReader) => unknown): number | WireError {
  const reader = new ByteReader(frame);
  let count = 0;
  try {
    for (; reader.remaining > 0; count++) decode(reader);
    return count;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

describe('captured frames', () => {
  test.each([
    ['client', clientFrames, decodeClientMessage],
    ['server', serverFrames, decodeServerMessage],
  ] as const)('of the %s decode whole', (_, frames, decode) => {
    expect(frames.length).toBeGreaterThan(4);
    for (const frame of frames) expect(decodeAll(frame, decode)).toBeGreaterThan(0);
  });

  test.each([
    ['client', clientFrames, decodeClientMessage],
    ['server', serverFrames, decodeServerMessage],
  ] as const)('of the %s with wounds decode, or give a WireError', (_, frames, decode) => {
    fc.assert(
      fc.property(wounded(frames), (frame) => void decodeAll(frame, decode)),
      { numRuns: 5000 },
    );
  });

  test('with wounds cost only the connection that sent them', { timeout: 60_000 }, async () => {
    const errors: unknown[] = [];
    const server = await startProbeServer(errors);
    const path = `/v1/database/${PROBE_DATABASE}/subscribe`;
    const open = (): Promise<RawClient> =>
      RawClient.open(server.port, path, ['Sec-WebSocket-Protocol: v3.bsatn.spacetimedb']);
    const bystander = await open();
    bystander.send(clientFrame({ opcode: 2, payload: clientFrames[0]! }));
    await bystander.nextFrames(2);
    try {
      for (const frames of fc.sample(fc.array(wounded(clientFrames), { minLength: 1, maxLength: 4 }), 150)) {
        const client = await open();
        for (const payload of frames) client.send(clientFrame({ opcode: 2, payload }));
        client.socket.destroy();
      }
      expect(errors).toEqual([]);
      bystander.frames.length = 0;
      bystander.send(clientFrame({ opcode: 2, payload: clientFrames.find((frame) => frame[0] === 3)! }));
      expect((await bystander.nextFrames(1)).map(({ opcode }) => opcode)).toEqual([2]);
    } finally {
      await server.close({ drainMs: 0 });
    }
  });
});
