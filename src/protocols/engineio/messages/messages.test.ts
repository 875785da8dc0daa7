import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeBase64, encodeBase64 } from './base64.js';
import { decodeHandshake, encodeHandshake } from './handshake.js';
import { messagePacket, type Packet, PacketType } from './packet.js';
import {
  decodePacketBinary,
  decodePacketText,
  encodePacketBinary,
  encodePacketText,
  packetBytes,
  utf8Length,
} from './packet-codec.js';
import { PacketError } from './packet-error.js';
import { countFitting, decodePayload, encodePayload } from './payload.js';
import {
  decodeBinaryPayloadV3,
  decodePayloadV3,
  encodeBinaryPayloadV3,
  encodePayloadV3,
} from './payload-v3.js';

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof PacketError) return error.code;
    throw error;
  }
  return 'none';
}

const text = fc.string({ unit: 'binary' }).filter((s) => !s.includes('\u001e'));
const data = fc.oneof(text, fc.uint8Array());
const packets = fc.array(
  fc.record({ type: fc.constantFrom(...Object.values(PacketType)), data: text }).map((p): Packet => p),
  { minLength: 1 },
);
const mixed = fc.array(
  fc.oneof(
    data.map(messagePacket),
    packets.map((all) => all[0]!),
  ),
  { minLength: 1 },
);

describe('packets', () => {
  it('are a digit and text', () => {
    expect(encodePacketText(messagePacket('hello'))).toBe('4hello');
    expect(encodePacketText({ type: PacketType.pong, data: 'probe' })).toBe('3probe');
    expect(decodePacketText('2')).toEqual({ type: PacketType.ping, data: '' });
  });

  it('carry octets as base64, with a digit in protocol 3 only', () => {
    const packet = messagePacket(Uint8Array.of(1, 2, 3, 4));
    expect(encodePacketText(packet)).toBe('bAQIDBA==');
    expect(encodePacketText(packet, 3)).toBe('b4AQIDBA==');
    expect(decodePacketText('b4AQIDBA==', 3)).toEqual(packet);
  });

  it('are the octets themselves in a binary frame, behind a type in protocol 3', () => {
    const packet = { type: PacketType.message, data: Uint8Array.of(9, 8) };
    expect(encodePacketBinary(packet, 4)).toEqual(Uint8Array.of(9, 8));
    expect(encodePacketBinary(packet, 3)).toEqual(Uint8Array.of(4, 9, 8));
    expect(decodePacketBinary(Uint8Array.of(4, 9, 8), 3)).toEqual(packet);
    expect(codeOf(() => decodePacketBinary(new Uint8Array(), 3))).toBe('EMPTY_PACKET');
    expect(codeOf(() => decodePacketBinary(Uint8Array.of(7), 3))).toBe('UNKNOWN_TYPE');
  });

  it('that are none say why', () => {
    expect(codeOf(() => decodePacketText(''))).toBe('EMPTY_PACKET');
    expect(codeOf(() => decodePacketText('7x'))).toBe('UNKNOWN_TYPE');
    expect(codeOf(() => decodePacketText('abc'))).toBe('UNKNOWN_TYPE');
    expect(codeOf(() => decodePacketText('bA'))).toBe('BAD_BASE64');
    expect(codeOf(() => decodePacketText('b@@@@'))).toBe('BAD_BASE64');
  });
});

describe('base64', () => {
  it('says what the platform says, both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const encoded = Buffer.from(bytes).toString('base64');
        expect(encodeBase64(bytes)).toBe(encoded);
        expect(decodeBase64(encoded)).toEqual(bytes);
        expect(decodeBase64(encoded.replaceAll('=', ''))).toEqual(bytes);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AA A', 'AAA\n', 'A===', '=AAA', 'AA=A', 'é000', 'AA-_'])('refuses %j', (bad) => {
    expect(codeOf(() => decodeBase64(bad))).toBe('BAD_BASE64');
  });
});

describe('sizes', () => {
  it('of text are those of its UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (s) => {
        expect(utf8Length(s)).toBe(Buffer.byteLength(s));
      }),
    );
    expect(utf8Length('\ud800x')).toBe(Buffer.byteLength('\ud800x'));
  });

  it('of packets count their digit and the growth by base64', () => {
    fc.assert(
      fc.property(data, (d) => {
        const packet = messagePacket(d);
        expect(packetBytes(packet)).toBe(Buffer.byteLength(encodePacketText(packet)));
      }),
    );
  });

  it('decide how many packets fit, separators included, and one always does', () => {
    const three = ['€', 'bb', 'cc'].map(messagePacket);
    expect(countFitting(three, { bytesMax: 8, packetsMax: 99 })).toBe(2);
    expect(countFitting(three, { bytesMax: 7, packetsMax: 99 })).toBe(1);
    expect(countFitting(three, { bytesMax: 1, packetsMax: 99 })).toBe(1);
    expect(countFitting(three, { bytesMax: 99, packetsMax: 2 })).toBe(2);
    expect(countFitting(three, { bytesMax: 99, packetsMax: 2 }, 2)).toBe(1);
    expect(countFitting([], { bytesMax: 99, packetsMax: 2 })).toBe(0);
  });
});

describe('payloads of protocol 4', () => {
  it('are packets with 0x1E between them', () => {
    const payload = encodePayload([messagePacket('a'), messagePacket(Uint8Array.of(1)), messagePacket('€')]);
    expect(payload).toBe('4a\u001ebAQ==\u001e4€');
    expect(decodePayload(payload)).toHaveLength(3);
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(mixed, (all) => {
        const expected = all.map(({ type, data: d }) => ({ type, data: d }));
        expect(decodePayload(encodePayload(all))).toEqual(expected);
      }),
    );
  });

  it('refuse text with the separator instead of splitting it', () => {
    expect(codeOf(() => encodePayload([messagePacket('a\u001eb')]))).toBe('SEPARATOR_IN_TEXT');
  });

  it('have a bound on their packets', () => {
    expect(decodePayload('4\u001e4', 2)).toHaveLength(2);
    expect(codeOf(() => decodePayload('4\u001e4\u001e4', 2))).toBe('TOO_MANY_PACKETS');
    expect(codeOf(() => decodePayload('4a\u001e'))).toBe('EMPTY_PACKET');
    expect(codeOf(() => decodePayload(''))).toBe('EMPTY_PACKET');
  });
});

describe('payloads of protocol 3', () => {
  it('count UTF-16 code units in text', () => {
    expect(encodePayloadV3([messagePacket('€')])).toBe('2:4€');
    expect(decodePayloadV3('6:4hello2:4€')).toEqual([messagePacket('hello'), messagePacket('€')]);
    expect(encodePayloadV3([])).toBe('0:');
    expect(decodePayloadV3('0:')).toEqual([]);
  });

  it('have a kind, a length and 0xFF in front of octets', () => {
    const bytes = encodeBinaryPayloadV3([messagePacket('€'), messagePacket(Uint8Array.of(1, 2))]);
    expect([...bytes]).toEqual([0, 4, 255, 52, 0xe2, 0x82, 0xac, 1, 3, 255, 4, 1, 2]);
  });

  it('come back as they were, in both forms', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.uint8Array()).map(messagePacket), { minLength: 1 }),
        (all) => {
          expect(decodePayloadV3(encodePayloadV3(all))).toEqual(all);
          expect(decodeBinaryPayloadV3(encodeBinaryPayloadV3(all))).toEqual(all);
        },
      ),
    );
  });

  it.each(['', ':', '1', 'x:4', '99999999999:4', '5:4a', '-1:4'])('refuse %j', (bad) => {
    expect(codeOf(() => decodePayloadV3(bad))).toMatch(/BAD_LENGTH|EMPTY_PACKET/);
  });
});

describe('hostile octets', () => {
  it('are refused with an error of ours or read, by every decoder', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const payload = Buffer.from(bytes).toString('latin1');
        for (const decode of [
          () => decodePayload(payload),
          () => decodePayloadV3(payload),
          () => decodeBinaryPayloadV3(bytes),
          () => decodePacketBinary(bytes, 3),
          () => decodeHandshake(payload),
        ]) {
          expect(codeOf(decode)).toBeTypeOf('string');
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the handshake', () => {
  it('has the five keys', () => {
    const json = encodeHandshake({
      sid: 'x',
      upgrades: ['websocket'],
      pingIntervalMs: 300,
      pingTimeoutMs: 200,
      maxPayloadBytes: 1e6,
    });
    expect(JSON.parse(json)).toEqual({
      sid: 'x',
      upgrades: ['websocket'],
      pingInterval: 300,
      pingTimeout: 200,
      maxPayload: 1e6,
    });
  });

  it('may have numbers as strings, strange keys, no upgrades and no maxPayload', () => {
    expect(
      decodeHandshake('{"sid":"a","pingInterval":"25000","pingTimeout":20000,"upgrades":null,"x":1}'),
    ).toEqual({
      sid: 'a',
      upgrades: [],
      pingIntervalMs: 25_000,
      pingTimeoutMs: 20_000,
      maxPayloadBytes: undefined,
    });
  });

  it('of no or endless time between pings never makes anybody spin', () => {
    expect(decodeHandshake('{"sid":"a","pingInterval":0,"pingTimeout":0}')).toMatchObject({
      pingIntervalMs: 100,
      pingTimeoutMs: 100,
    });
    // A timer of more than 2^31 ms fires after 1 ms.
    expect(decodeHandshake('{"sid":"a","pingInterval":1e300,"pingTimeout":"4294967296"}')).toMatchObject({
      pingIntervalMs: 2 ** 29,
      pingTimeoutMs: 2 ** 29,
    });
  });

  it.each(['', 'x', 'null', '{}', '{"sid":7}'])('cannot be %j', (bad) => {
    expect(codeOf(() => decodeHandshake(bad))).toBe('BAD_HANDSHAKE');
  });
});
