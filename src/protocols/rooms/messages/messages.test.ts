import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeHex, encodeHex } from '../../../base/hex.js';
import { WireError } from '../../../base/wire-error.js';
import { decodeAwareness, encodeAwareness } from './awareness.js';
import { dialectOf } from './dialect.js';
import { decodeHocuspocus } from './hocuspocus.js';
import { decodeFrame, encodeMessage, type RoomMessage } from './message.js';
import { checkRoomId } from './room-id.js';

const hex = (text: string): Uint8Array => decodeHex(text.replaceAll(' ', ''))!;

describe('y-protocols frames', () => {
  it('are the documented bytes', () => {
    const bytes = (message: Exclude<RoomMessage, { kind: 'unknown' }>): string =>
      encodeHex(encodeMessage(message));
    expect(bytes({ kind: 'syncStep1', stateVector: Uint8Array.of(0) })).toBe('00000100');
    expect(bytes({ kind: 'syncStep2', update: Uint8Array.of(0, 0) })).toBe('0001020000');
    expect(bytes({ kind: 'update', update: Uint8Array.of(9) })).toBe('00020109');
    expect(bytes({ kind: 'denied', reason: 'no' })).toBe('0200026e6f');
    expect(bytes({ kind: 'queryAwareness' })).toBe('03');
    expect(bytes({ kind: 'probe', body: Uint8Array.of(5) })).toBe('660105');
  });

  it('several messages in one frame are all read', () => {
    expect(decodeFrame(hex('00 00 01 00  03  66 01 05')).map(({ kind }) => kind)).toEqual([
      'syncStep1',
      'queryAwareness',
      'probe',
    ]);
  });

  it('an empty frame, a lying length and an unknown sync type are refused', () => {
    for (const bad of ['', '00', '0002', '0002ff', '0002ffffffff0f00', '00090100'])
      expect(() => decodeFrame(hex(bad)), bad).toThrow(WireError);
  });

  it('a captured awareness frame of y-websocket is read', () => {
    const [message] = decodeFrame(hex('01 0b 01 09 01 07 7b226e223a317d'));
    expect(message?.kind === 'awareness' && decodeAwareness(message.update)).toEqual([
      { clientId: 9, clock: 1, json: '{"n":1}' },
    ]);
  });

  it('any bytes are read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        for (const decode of [decodeFrame, decodeHocuspocus, decodeAwareness]) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('awareness', () => {
  it('clocks up to 2^53 - 1 survive, more entries than allowed do not', () => {
    const entries = [{ clientId: 2 ** 32, clock: Number.MAX_SAFE_INTEGER, json: '{"a":"ü"}' }];
    expect(decodeAwareness(encodeAwareness(entries))).toEqual(entries);
    expect(() => decodeAwareness(encodeAwareness([...entries, ...entries]), 1)).toThrow('2 entries');
  });

  it('a count that lies is refused before anything is allocated', () => {
    expect(() => decodeAwareness(hex('ffffffff0f'))).toThrow(WireError);
  });

  it('a state that is not JSON is refused', () => {
    expect(() => decodeAwareness(encodeAwareness([{ clientId: 1, clock: 1, json: '{' }]))).toThrow(
      'not JSON',
    );
  });
});

describe('Hocuspocus frames', () => {
  it('a captured opening is read', () => {
    const auth = decodeHocuspocus(hex('03 646f63 02 00 03 746f6b 05 342e382e30'));
    expect(auth).toEqual({
      address: 'doc',
      documentName: 'doc',
      message: { kind: 'token', token: 'tok', version: '4.8.0' },
    });
    expect(decodeHocuspocus(hex('03 646f63 00 00 01 00')).message.kind).toBe('syncStep1');
  });

  it('an address may carry a session behind a NUL', () => {
    const frame = decodeHocuspocus(hex('05 64 6f 63 00 41 03'));
    expect([frame.documentName, frame.address]).toEqual(['doc', 'doc\0A']);
  });

  it('what only servers send is refused', () => {
    expect(() => decodeHocuspocus(hex('03 646f63 06 00'))).toThrow('type 6');
  });
});

describe('the first frame tells the dialect', () => {
  it.each([
    ['00 00 01 00', 'plain'],
    ['01 0b 01 09 01 07', 'plain'],
    ['03', 'plain'],
    ['66 01 05', 'plain'],
    ['03 646f63 02 00 03 746f6b', 'hocuspocus'],
    ['01 61 02 00 00', 'hocuspocus'],
    ['05 68656c6c6f 02 00 00', 'hocuspocus'],
  ])('%s is %s', (bytes, dialect) => {
    expect(dialectOf(hex(bytes))).toBe(dialect);
  });
});

describe('room ids', () => {
  it('leading slashes do not count', () => {
    expect(checkRoomId('//my id/ü')).toEqual({ kind: 'valid', id: 'my id/ü' });
    expect(checkRoomId('')).toEqual({ kind: 'valid', id: '' });
  });

  it.each(['a/../b', '..', 'a\0b', 'a\nb', 'x'.repeat(513), '..\\b'])('%j is refused', (name) => {
    expect(checkRoomId(name).kind).toBe('invalid');
  });

  it('512 bytes are the limit', () => {
    expect(checkRoomId('x'.repeat(512)).kind).toBe('valid');
    expect(checkRoomId('ü'.repeat(257)).kind).toBe('invalid');
  });
});
