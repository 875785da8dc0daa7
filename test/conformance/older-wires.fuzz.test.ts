import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/base/byte-writer.js';
import { encodeClientMessage } from '../../src/protocols/spacetimedb/messages/v1/client-messages.js';
import type { ClientMessage } from '../../src/protocols/spacetimedb/messages/v1/client-messages.js';
import { encodeJsonClientMessage } from '../../src/protocols/spacetimedb/messages/v1/json-client-messages.js';
import { encodeTextClientMessage } from '../../src/protocols/spacetimedb/messages/v1-text/messages.js';
import type { SessionLink } from '../../src/protocols/spacetimedb/server/framing.js';
import { Session } from '../../src/protocols/spacetimedb/server/session.js';
import type { WireOptions } from '../../src/protocols/spacetimedb/server/wires/make-wire.js';
import { ConnectionId, Identity } from '../../src/values/identity.js';
import { module } from './chat-module.js';
import { runModule } from './database.js';

/* Sessions of the older wires against everything: they answer or close with 1011, and nobody else is hurt. */

type Protocol = WireOptions['protocol'];
const OLDER = ['v1.bsatn.spacetimedb', 'v1.json.spacetimedb', 'v1.text.spacetimedb'] as const;

class Peer implements SessionLink {
  readonly session: Session;
  readonly texts: string[] = [];
  readonly errors: unknown[] = [];
  isOpen = true;
  closedWith: string | undefined;

  constructor(database: ReturnType<typeof runModule>, protocol: Protocol, id: bigint) {
    this.session = new Session({
      protocol,
      database,
      caller: { identity: new Identity(id), connectionId: new ConnectionId(id), tokenPayload: undefined },
      token: 'tok',
      confirmed: false,
      link: this,
      onError: (error) => this.errors.push(error),
    });
    this.session.start();
  }

  send(): void {}

  sendText(text: string): void {
    this.texts.push(text);
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closedWith = `${code} ${reason}`;
  }

  say(frame: Uint8Array | string): void {
    if (typeof frame === 'string') this.session.receiveText(frame);
    else this.session.receive(frame);
    this.session.endTurn();
  }
}

function expectToSurvive(protocol: Protocol, frames: readonly (Uint8Array | string)[]): void {
  const flushes: (() => void)[] = [];
  const database = runModule(module, new Identity(9n), (flush) => void flushes.push(flush));
  const flush = (): void => flushes.splice(0).forEach((run) => run());
  const [client, witness] = [new Peer(database, protocol, 1n), new Peer(database, 'v1.json.spacetimedb', 2n)];
  witness.say('{"SubscribeSingle":{"query":"SELECT * FROM tag","request_id":1,"query_id":{"id":1}}}');
  for (const frame of frames) client.say(frame);
  flush();
  client.session.closed();
  expect(client.errors).toEqual([]);
  expect(client.closedWith ?? '1011').toMatch(/^1011/);
  witness.texts.length = 0;
  witness.say('{"CallReducer":{"reducer":"add_tag","args":"[\\"witness\\",77]","request_id":2,"flags":0}}');
  flush();
  expect(witness.texts.join()).toContain(String.raw`{\"word\":\"witness\",\"weight\":77}`);
  expect(witness.errors).toEqual([]);
  witness.session.closed();
  database.delivery.close();
}

const query = fc.constantFrom(
  'SELECT * FROM user',
  'SELECT * FROM User',
  'SELECT * FROM *',
  'SELECT * FROM x',
  '',
  '%',
);
const queries = fc.array(query, { maxLength: 3 });
const ids = { requestId: fc.nat(9), queryId: fc.nat(3) };
const reducer = fc.constantFrom(
  'put_user',
  'drop_user',
  'add_tag',
  'crash',
  'half_then_refuse',
  'come_in',
  '',
);
const json = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.constantFrom('[1,"ada"]', '[9007199254740993]', '["a",1]', '{"id":1}', ''),
);

const v1Message = <Args>(args: fc.Arbitrary<Args>): fc.Arbitrary<ClientMessage<Args>> =>
  fc.oneof(
    fc.record({ kind: fc.constant('subscribe' as const), queries, requestId: fc.nat(9) }),
    fc.record({ kind: fc.constant('subscribeSingle' as const), query, ...ids }),
    fc.record({ kind: fc.constant('subscribeMulti' as const), queries, ...ids }),
    fc.record({ kind: fc.constantFrom('unsubscribe' as const, 'unsubscribeMulti' as const), ...ids }),
    fc.record({
      kind: fc.constant('oneOffQuery' as const),
      messageId: fc.uint8Array({ maxLength: 4 }),
      query,
    }),
    fc.record({
      kind: fc.constant('callReducer' as const),
      reducer,
      args,
      requestId: fc.nat(9),
      noSuccessNotify: fc.boolean(),
    }),
  );

const bsatnFrame = v1Message(fc.uint8Array({ maxLength: 12 })).map((message): Uint8Array => {
  const writer = new ByteWriter();
  encodeClientMessage(writer, message);
  return writer.finish();
});
const jsonFrame = v1Message(json).map((message): string => encodeJsonClientMessage(message));
const textFrame = fc.oneof(
  queries.map((texts) => encodeTextClientMessage({ kind: 'subscribe', queries: texts })),
  fc
    .tuple(reducer, json)
    .map(([name, args]) => encodeTextClientMessage({ kind: 'call', reducer: name, args })),
);

describe.each(OLDER)('a session of %s survives', (protocol) => {
  const frame: fc.Arbitrary<Uint8Array | string> =
    protocol === 'v1.bsatn.spacetimedb'
      ? bsatnFrame
      : protocol === 'v1.json.spacetimedb'
        ? jsonFrame
        : textFrame;

  test('frames that mean nothing', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 4 }), (frames) => expectToSurvive(protocol, frames)),
      { numRuns: 150 },
    );
  });

  test('messages in any order', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), (frames) => expectToSurvive(protocol, frames)),
      { numRuns: 250 },
    );
  });

  test('messages with changes in them', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 5 }),
        fc.array(change, { maxLength: 3 }),
        (frames, changes) => {
          const last = frames.at(-1)!;
          const bytes = typeof last === 'string' ? new TextEncoder().encode(last) : last.slice();
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          const changed = typeof last === 'string' ? new TextDecoder().decode(bytes) : bytes;
          expectToSurvive(protocol, [...frames.slice(0, -1), changed]);
        },
      ),
      { numRuns: 250 },
    );
  });
});
