import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeHex } from '../../../base/hex.js';
import { seededRandom } from '../../../base/random.js';
import { joinBatch, splitBatch } from './batch.js';
import { cborSerializer } from './cbor.js';
import { fieldsOf, messageFromFields } from './fields.js';
import { ID_MAX, IdSequence } from './ids.js';
import { jsonSerializer } from './json.js';
import { layoutOf, readMessage, writeMessage } from './layouts.js';
import {
  type Dict,
  isClientMessage,
  isRouterMessage,
  type Message,
  messageName,
  MessageType,
} from './message.js';
import { MessageError } from './message-error.js';
import { msgpackSerializer } from './msgpack.js';
import { Payload } from './payload.js';
import type { Serializer, Wire } from './serializer.js';

const serializers: readonly Serializer[] = [jsonSerializer, msgpackSerializer, cborSerializer];
const p = Payload.of([1, 'two', null, true, 1.5], { three: [3], four: { five: 5 } });
const o: Dict = { some: 1 };

const samples: readonly Message[] = [
  { type: 1, realm: 'realm1', details: { roles: { caller: {} } } },
  { type: 2, session: 9129137332, details: o },
  { type: 3, details: o, reason: 'wamp.error.no_such_realm', payload: p },
  { type: 4, method: 'ticket', extra: o },
  { type: 5, signature: 'secret', extra: o },
  { type: 6, details: o, reason: 'wamp.close.normal' },
  { type: 8, requestType: 48, request: 7, details: o, error: 'com.example.bad', payload: p },
  { type: 16, request: 1, options: o, topic: 'com.example.topic', payload: p },
  { type: 17, request: 1, publication: 4429313566 },
  { type: 32, request: 2, options: o, topic: 'com.example.topic' },
  { type: 33, request: 2, subscription: 5512315355 },
  { type: 34, request: 3, subscription: 5512315355 },
  { type: 35, request: 3 },
  { type: 35, request: 0, details: { subscription: 3 } },
  { type: 36, subscription: 5512315355, publication: 4429313566, details: o, payload: p },
  { type: 48, request: 4, options: o, procedure: 'com.example.add', payload: p },
  { type: 49, request: 4, options: { mode: 'kill' } },
  { type: 50, request: 4, details: o, payload: p },
  { type: 64, request: 5, options: o, procedure: 'com.example.add' },
  { type: 65, request: 5, registration: 2103333224 },
  { type: 66, request: 6, registration: 2103333224 },
  { type: 67, request: 6 },
  { type: 67, request: 0, details: { registration: 3 } },
  { type: 68, request: 1, registration: 2103333224, details: o, payload: p },
  { type: 69, request: 1, options: o },
  { type: 70, request: 1, options: o, payload: p },
  { type: 337, publication: 4429313566 },
];

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MessageError) return error.code;
    throw error;
  }
  return 'fine';
}

/** What comes of it, be it an error's text. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as Error).message;
  }
}

/** Everything of a message as plain values. */
function plain(message: Message): unknown {
  return 'payload' in message
    ? { ...message, payload: [message.payload.args, message.payload.kwargs] }
    : message;
}

const withoutSign = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const bytesOf = (hex: string): Uint8Array => decodeHex(hex.replaceAll(' ', ''))!;

describe.each(serializers)('serializer $name', (serializer) => {
  it('every message comes back as it was', () => {
    for (const message of samples)
      expect(plain(serializer.decode(serializer.encode(message)))).toEqual(plain(message));
    expect(new Set(samples.map((message) => message.type)).size).toBe(Object.keys(MessageType).length);
  });

  it('sends payloads on as the same octets', () => {
    const wire = serializer.encode(samples[15]!);
    expect(serializer.encode(serializer.decode(wire))).toEqual(wire);
  });

  it('leaves out empty payloads, and sends an empty list before kwargs', () => {
    const result = (payload: Payload): Message => ({ type: 50, request: 1, details: {}, payload });
    const size = (payload: Payload): number => serializer.encode(result(payload)).length;
    expect(size(Payload.of([]))).toBe(size(Payload.empty));
    const decoded = serializer.decode(serializer.encode(result(Payload.of(undefined, { a: 1 }))));
    expect(plain(decoded)).toEqual(plain(result(Payload.of([], { a: 1 }))));
  });

  it('ids up to 2^53 come back as numbers', () => {
    for (const id of [2 ** 32, 2 ** 40 + 1, ID_MAX - 1]) {
      expect(serializer.decode(serializer.encode({ type: 17, request: 1, publication: id }))).toMatchObject({
        publication: id,
      });
    }
  });

  it('octets stay octets', () => {
    const octets = Uint8Array.from({ length: 20_000 }, (_, i) => i & 0xff);
    const message: Message = {
      type: 70,
      request: 1,
      options: {},
      payload: Payload.of([octets], { raw: octets }),
    };
    const decoded = serializer.decode(serializer.encode(message)) as typeof message;
    expect(Buffer.compare(decoded.payload.args[0] as Uint8Array, octets)).toBe(0);
    expect(Buffer.compare(decoded.payload.kwargs['raw'] as Uint8Array, octets)).toBe(0);
  });

  it('a payload is carried over to the other serializers', () => {
    const payload = Payload.of([new Uint8Array([1, 2]), 2 ** 40, 'ü', null], { deep: [{ er: 1.5 }] });
    const first = serializer.decode(serializer.encode({ type: 70, request: 1, options: {}, payload }));
    for (const other of serializers) {
      const second = other.decode(other.encode(first));
      expect(JSON.stringify(plain(second))).toBe(
        JSON.stringify(plain({ type: 70, request: 1, options: {}, payload })),
      );
    }
  });

  it('a detached payload is the same, in memory of its own', () => {
    const payload = Payload.of(['x'.repeat(20), 1], { a: [1] });
    const options = { padding: 'y'.repeat(10_000) };
    const wire = serializer.encode({ type: 70, request: 1, options, payload });
    // Buffers are what sockets hand over, and their `slice` is no copy.
    const message = serializer.decode(typeof wire === 'string' ? wire : Buffer.from(wire)) as typeof wanted;
    const wanted = { type: 70, request: 1, options, payload } as const;
    const detached = message.payload.detached();
    expect([detached.args, detached.kwargs]).toEqual([payload.args, payload.kwargs]);
    const { data } = detached.tailFor(serializer);
    const textOf = (one: string | Uint8Array): string => Buffer.from(one as string).toString('latin1');
    expect(textOf(data)).toBe(textOf(message.payload.tailFor(serializer).data));
    if (typeof data !== 'string') expect(data.buffer.byteLength).toBe(data.length);
    const values = Payload.of([1]);
    expect(values.detached()).toBe(values);
  });

  it('values of any kind come back', () => {
    const json = fc
      .jsonValue({ maxDepth: 4 })
      .filter((value) => !JSON.stringify(value).includes('__proto__'));
    const kwargs = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), json);
    fc.assert(
      fc.property(fc.array(json), kwargs, (args, kwargs) => {
        const message: Message = { type: 50, request: 1, details: {}, payload: Payload.of(args, kwargs) };
        const decoded = serializer.decode(serializer.encode(message)) as typeof message;
        // -0 is 0 in JSON.
        expect(decoded.payload.args.map(withoutSign)).toEqual(JSON.parse(JSON.stringify(args)));
        expect(withoutSign(decoded.payload.kwargs)).toEqual(JSON.parse(JSON.stringify({ ...kwargs })));
      }),
      { numRuns: 200 },
    );
  });

  it('any octets are a message or a MessageError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        codeOf(() => plain(serializer.decode(bytes)));
      }),
      { numRuns: 1000 },
    );
  });

  it('damaged messages are messages or MessageErrors', () => {
    const wires = samples.map((message) => serializer.encode(message));
    const random = seededRandom(5);
    for (let round = 0; round < 5000; round++) {
      const bytes = new Uint8Array(Buffer.from(wires[round % wires.length]! as Uint8Array));
      for (let i = 0; i < 2; i++) bytes[random.nextUint32() % bytes.length] = random.nextUint32() & 0xff;
      codeOf(() => plain(serializer.decode(bytes.subarray(0, random.nextUint32() % (bytes.length + 1)))));
    }
  });

  it('any list is a message or a MessageError', () => {
    const types = Object.values(MessageType);
    const element = fc.oneof(
      fc.nat(9),
      fc.constantFrom('com.a', {}, [], null),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const list = fc.tuple(
      fc.oneof(fc.constantFrom(...types), fc.integer()),
      fc.array(element, { maxLength: 7 }),
    );
    fc.assert(
      fc.property(list, ([type, fields]) => {
        codeOf(() => plain(serializer.decode(serializer.encodeTail([type, ...fields], undefined).data)));
      }),
      { numRuns: 1000 },
    );
    const empty = { json: '5b5d', msgpack: '90', cbor: '80' }[serializer.name]!;
    expect(codeOf(() => serializer.decode(bytesOf(empty)))).toBe('BAD_FIELD');
  });

  it('a batch is split into its messages', () => {
    const wires = samples.slice(0, 5).map((message) => serializer.encode(message));
    expect(splitBatch(serializer, joinBatch(serializer, wires))).toEqual(wires);
    expect(codeOf(() => splitBatch(serializer, serializer.isBinary ? new Uint8Array(0) : ''))).toBe(
      'UNDECODABLE',
    );
    const cut: Wire = joinBatch(serializer, wires).slice(0, -1);
    expect(codeOf(() => splitBatch(serializer, cut))).toBe('UNDECODABLE');
  });
});

describe('fields', () => {
  const decode = (fields: unknown): string => codeOf(() => jsonSerializer.decode(JSON.stringify(fields)));

  it('of the wrong type or number are refused', () => {
    expect(decode([48, 1, {}, 'com.a'])).toBe('fine');
    const bad: unknown[] = [
      {}, [], ['48'], [48], [48, 1, {}], [48, '1', {}, 'a'], [48, 1.5, {}, 'a'], [48, 0, {}, 'a'], [48, true, {}, 'a'],
      [48, 2 ** 53 + 2, {}, 'a'], [48, 1, [], 'a'], [48, 1, null, 'a'], [48, 1, {}, 1], [48, 1, {}, 'a', {}],
      [48, 1, {}, 'a', [], []], [48, 1, {}, 'a', [], {}, 1], [17, 1, 2, 3], [35, 1, 2], [8, 'x', 1, {}, 'a'],
    ]; // prettier-ignore
    for (const fields of bad) expect([fields, decode(fields)]).toEqual([fields, 'BAD_FIELD']);
    expect(decode([7, 1])).toBe('UNKNOWN_TYPE');
  });

  it('a payload that is no list or dict is refused by binary serializers when it is looked at', () => {
    const message = msgpackSerializer.decode(bytesOf('95 30 01 80 a1 61 a1 62'));
    expect(codeOf(() => plain(message))).toBe('BAD_FIELD');
  });

  it('each message has its direction', () => {
    const both = samples.filter((message) => isClientMessage(message) && isRouterMessage(message));
    expect(new Set(both.map((message) => messageName(message.type)))).toEqual(
      new Set(['ABORT', 'GOODBYE', 'ERROR']),
    );
    expect(samples.every((message) => isClientMessage(message) || isRouterMessage(message))).toBe(true);
    expect(messageName(337)).toBe('EVENT_RECEIVED');
  });
});

describe('the layout table', () => {
  const elementsOf = (fields: unknown[]): Message =>
    readMessage(layoutOf(fields[0], fields.length), fields, p);

  it('reads and writes what the functions made from it do', () => {
    for (const message of samples) {
      const elements = [...fieldsOf(message)];
      expect(writeMessage(message)).toEqual(elements);
      expect(elementsOf(elements)).toEqual(message);
      expect(messageFromFields(elements, p)).toEqual(message);
    }
  });

  it('refuses what they refuse, with the same words', () => {
    for (const message of samples) {
      const elements = [...fieldsOf(message)];
      for (let at = 1; at < elements.length; at++) {
        for (const wrong of [null, true, -1, 0.5, 2 ** 53 + 2, '', [], {}, new Uint8Array(1)]) {
          const fields = [...elements.slice(0, at), wrong, ...elements.slice(at + 1)];
          expect(outcome(() => elementsOf(fields))).toEqual(outcome(() => messageFromFields(fields, p)));
        }
      }
    }
  });
});

describe('octets', () => {
  it('JSON has octets as the specification does', () => {
    const octets = bytesOf('10e3ff90 53075c52 6f5fc06d 4fe37cdb');
    const wire = jsonSerializer.encode({ type: 50, request: 1, details: {}, payload: Payload.of([octets]) });
    expect(wire).toBe(String.raw`[50,1,{},["\u0000EOP/kFMHXFJvX8BtT+N82w=="]]`);
  });

  it('ids past 2^32 are 64-bit integers', () => {
    const published: Message = { type: 17, request: 239714735, publication: 4429313566 };
    const hex = (wire: Wire): string => Buffer.from(wire as Uint8Array).toString('hex');
    expect(hex(msgpackSerializer.encode(published))).toBe('9311ce0e49c1afcf000000010801f61e');
    expect(hex(cborSerializer.encode(published))).toBe('83111a0e49c1af1b000000010801f61e');
  });

  it('CBOR of indefinite length is read', () => {
    expect(plain(cborSerializer.decode(bytesOf('9f 18 32 01 bf ff 9f 01 ff ff')))).toMatchObject({
      payload: [[1], {}],
    });
  });

  it('unknown tags of CBOR leave their value, big integers are bigints', () => {
    const message = cborSerializer.decode(bytesOf('84 18 32 01 a0 82 c1 05 c2 42 01 00'));
    expect(plain(message)).toMatchObject({ payload: [[5, 256n], {}] });
  });

  it.each([
    ['msgpack', msgpackSerializer, 'dd7fffffff', 'a list of 2^31 elements'],
    ['msgpack', msgpackSerializer, '93 32 01 df7fffffff', 'a dict of 2^31 entries'],
    ['msgpack', msgpackSerializer, '94 32 01 80 91 c6ffffffff', '4 GiB of octets'],
    ['cbor', cborSerializer, '9b7fffffffffffffff', 'a list of 2^63 elements'],
    ['cbor', cborSerializer, '84 18 32 01 a0 5b7fffffffffffffff', '2^63 octets'],
    ['cbor', cborSerializer, '84 18 32 01 a0 a1 01 02', 'a key that is a number'],
    ['msgpack', msgpackSerializer, '94 32 01 80 81 01 02', 'a key that is a number'],
  ] as const)('%s: %3$s is refused at once', (_name, serializer: Serializer, hex: string, _what) => {
    expect(codeOf(() => serializer.decode(bytesOf(hex)))).toBe('UNDECODABLE');
  });

  it.each([
    ['msgpack', msgpackSerializer, '94320180', 0x91],
    ['cbor', cborSerializer, '84183201a0', 0x81],
    ['cbor tags', cborSerializer, '84183201a0', 0xc1],
    ['cbor of indefinite length', cborSerializer, '84183201a0', 0x9f],
    ['json', jsonSerializer, Buffer.from('[50,1,{},').toString('hex'), 0x5b],
  ] as const)('%s: 10 MB of nested lists are refused at once', (_name, serializer, head, opener) => {
    const bytes = new Uint8Array(10_000_000).fill(opener);
    bytes.set(bytesOf(head));
    expect(codeOf(() => serializer.decode(bytes))).toBe('TOO_DEEP');
  });

  it('integers that a serializer has not are refused when encoding', () => {
    const yields = (value: unknown): Message => ({
      type: 70,
      request: 1,
      options: {},
      payload: Payload.of([value]),
    });
    for (const serializer of [jsonSerializer, msgpackSerializer]) {
      expect(codeOf(() => serializer.encode(yields(2n ** 60n)))).toBe('UNENCODABLE');
      expect(codeOf(() => serializer.encode(yields(2n ** 40n)))).toBe('fine');
    }
    expect(codeOf(() => jsonSerializer.encode(yields(new Map([[1, 2n]]))))).toBe('fine');
  });
});

describe('ids', () => {
  it('count from 1 and begin again after 2^53 - 1', () => {
    const ids = new IdSequence();
    expect([ids.next(), ids.next()]).toEqual([1, 2]);
    const last = new IdSequence(Number.MAX_SAFE_INTEGER - 1);
    expect([last.next(), last.next()]).toEqual([Number.MAX_SAFE_INTEGER, 1]);
  });
});
