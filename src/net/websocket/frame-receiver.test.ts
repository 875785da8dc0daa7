import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { clientFrame } from '../../../test/net/raw-client.js';
import { FrameReceiver, type FrameSink } from './frame-receiver.js';

const limits = { messageBytesMax: 1_000_000, fragmentsMax: 100 };

function digest(data: Uint8Array): string {
  return data.length <= 40 ? Buffer.from(data).toString('hex') : `${data.length}:${sum(data)}`;
}

function sum(data: Uint8Array): number {
  let hash = 7;
  for (const octet of data) hash = (Math.imul(hash, 31) + octet) | 0;
  return hash;
}

/** Feeds the chunks and writes down what comes out. */
function receiveAll(chunks: readonly Uint8Array[]): string[] {
  const trace: string[] = [];
  const sink: FrameSink = {
    onMessage: (data, isText) => trace.push(`${isText ? 'text' : 'binary'} ${digest(data)}`),
    onPing: (data) => trace.push(`ping ${digest(data)}`),
    onPong: (data) => trace.push(`pong ${digest(data)}`),
    onCloseFrame: (code, reason) => trace.push(`close ${code} ${reason}`),
    onViolation: (code) => trace.push(`violation ${code}`),
  };
  const receiver = new FrameReceiver(sink, limits);
  // Copies, as the receiver unmasks in place.
  for (const chunk of chunks) receiver.receive(Uint8Array.from(chunk));
  return trace;
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 90, maxLength: 300 }),
  fc.integer({ min: 65_000, max: 66_000 }).map((size) => new Uint8Array(size).fill(size)),
);
const control = fc.record({
  opcode: fc.constantFrom(9, 10),
  payload: fc.uint8Array({ maxLength: 125 }),
  key: fc.nat(),
});
/** A message in fragments with control frames between them. */
const message = fc
  .record({
    isText: fc.boolean(),
    parts: fc.array(fc.tuple(payload, fc.option(control), fc.nat()), { minLength: 1, maxLength: 4 }),
  })
  .map(({ isText, parts }) =>
    Buffer.concat(
      parts.flatMap(([octets, between, key], i) => [
        clientFrame({
          opcode: i > 0 ? 0 : isText ? 1 : 2,
          payload: isText ? octets.map((octet) => octet & 0x7f) : octets,
          isFinal: i === parts.length - 1,
          key,
        }),
        between === null ? Buffer.alloc(0) : clientFrame(between),
      ]),
    ),
  );
const stream = fc.array(message, { minLength: 1, maxLength: 5 }).map((parts) => Buffer.concat(parts));

/** Cuts at the given shares of the length. */
function split(bytes: Uint8Array, shares: readonly number[]): Uint8Array[] {
  const cuts = shares.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, i) => bytes.subarray(cut, cuts[i] ?? bytes.length));
}

const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

test('any split of a stream into chunks gives the same messages', () => {
  fc.assert(
    fc.property(stream, shares, (bytes, cuts) => {
      const whole = receiveAll([bytes]);
      expect(whole.some((line) => line.startsWith('violation'))).toBe(false);
      expect(receiveAll(split(bytes, cuts))).toEqual(whole);
    }),
    { numRuns: 300 },
  );
});

test('a stream one octet at a time gives the same messages', () => {
  fc.assert(
    fc.property(fc.array(control, { minLength: 1, maxLength: 3 }), message, (controls, data) => {
      const bytes = Buffer.concat([...controls.map(clientFrame), data]);
      fc.pre(bytes.length < 5000);
      expect(receiveAll([...bytes].map((octet) => Uint8Array.of(octet)))).toEqual(receiveAll([bytes]));
    }),
    { numRuns: 100 },
  );
});

test('a mutated stream never throws, and gives the same whatever the chunks', () => {
  const mutation = fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(
      stream,
      fc.array(mutation, { minLength: 1, maxLength: 5 }),
      shares,
      (bytes, mutations, cuts) => {
        const mutated = Uint8Array.from(bytes);
        for (const [share, octet] of mutations) mutated[Math.floor(share * mutated.length)] = octet;
        const trace = receiveAll([mutated]);
        expect(receiveAll(split(mutated, cuts))).toEqual(trace);
        const end = trace.findIndex((line) => line.startsWith('violation') || line.startsWith('close'));
        if (end >= 0) expect(end).toBe(trace.length - 1);
      },
    ),
    { numRuns: 300 },
  );
});

test('random octets never throw', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array(), { maxLength: 5 }), (chunks) => void receiveAll(chunks)));
});

test('lengths in more bits than they need are accepted', () => {
  for (const lengthBits of [7, 16, 64] as const) {
    expect(receiveAll([clientFrame({ opcode: 1, payload: 'hi', lengthBits })])).toEqual(['text 6869']);
  }
});

test('a length that was announced costs no memory until octets come', () => {
  const receiver = new FrameReceiver(
    { onMessage() {}, onPing() {}, onPong() {}, onCloseFrame() {}, onViolation() {} },
    { messageBytesMax: 2 ** 31, fragmentsMax: 1 },
  );
  const before = process.memoryUsage().arrayBuffers;
  receiver.receive(clientFrame({ opcode: 2, claim: 2n ** 31n, payload: 'few' }));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000);
  expect(receiver.isMidMessage).toBe(true);
});
