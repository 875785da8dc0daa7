import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MessageError } from './message-error.js';
import {
  decodeHandshake,
  encodeHandshake,
  encodeRawFrame,
  encodeRefusal,
  FrameType,
  RawFrameReader,
} from './raw-socket.js';

describe('RawSocket', () => {
  it('the handshake says the serializer and the longest message', () => {
    expect([...encodeHandshake(2, 2 ** 24)]).toEqual([0x7f, 0xf2, 0, 0]);
    expect(decodeHandshake(encodeHandshake(1, 1000))).toEqual({
      kind: 'accepted',
      serializerId: 1,
      messageBytesMax: 512,
    });
    expect(decodeHandshake(encodeRefusal(1))).toEqual({ kind: 'refused', error: 1 });
    expect(decodeHandshake(Uint8Array.of(0x7f, 0xf1, 1, 0))).toEqual({ kind: 'refused', error: 3 });
    expect(() => decodeHandshake(Uint8Array.of(0x80, 0xf1, 1, 0))).toThrow('handshake');
  });

  it('a stream is cut into the frames that were put in, however it arrives', () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 40 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (frames, cuts) => {
        const stream = Buffer.concat(
          frames.map(([type, octets]) => encodeRawFrame(type as FrameType, octets)),
        );
        const seen: unknown[] = [];
        const reader = new RawFrameReader(512, (type, octets) => seen.push([type, [...octets]]));
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = cuts[i % cuts.length]!;
          reader.receive(stream.subarray(at, at + size));
          at += size;
        }
        expect(seen).toEqual(frames.map(([type, octets]) => [type, [...octets]]));
      }),
    );
  });

  it('any octets are frames, or refused; none is longer than agreed', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (chunks) => {
        const reader = new RawFrameReader(32, (_type, octets) =>
          expect(octets.length).toBeLessThanOrEqual(32),
        );
        for (const read of [
          () => chunks.forEach((chunk) => reader.receive(chunk)),
          () => decodeHandshake(Uint8Array.from([...(chunks[0] ?? []), 0, 0, 0, 0]).subarray(0, 4)),
        ]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(MessageError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a frame of 2^24 octets has the 25th bit of length', () => {
    const frame = encodeRawFrame(FrameType.message, new Uint8Array(2 ** 24));
    expect([...frame.subarray(0, 4)]).toEqual([8, 0, 0, 0]);
    let size = 0;
    new RawFrameReader(2 ** 24, (_type, octets) => (size = octets.length)).receive(frame);
    expect(size).toBe(2 ** 24);
    expect(() => encodeRawFrame(FrameType.message, new Uint8Array(2 ** 24 + 1))).toThrow('at most');
  });

  it('frames past the agreed length, of unknown type or with reserved bits are refused', () => {
    const read =
      (...octets: number[]) =>
      () =>
        new RawFrameReader(512, () => {}).receive(Uint8Array.from(octets));
    expect(read(0, 0, 2, 1)).toThrow('agreed on 512');
    expect(read(0, 0, 2, 0)).not.toThrow();
    expect(read(3, 0, 0, 0)).toThrow('unknown');
    expect(read(0x10, 0, 0, 0)).toThrow('reserved');
    expect(read(8, 0, 0, 1)).toThrow('25 bits');
  });
});
