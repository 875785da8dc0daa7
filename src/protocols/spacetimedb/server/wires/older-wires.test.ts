import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { encodeClientMessage } from '../../messages/v1/client-messages.js';
import type { ClientMessage } from '../../messages/v1/client-messages.js';
import { decodeServerMessage } from '../../messages/v1/decode-server-message.js';
import type { ServerMessage } from '../../messages/v1/server-messages.js';
import { withBearer } from '../basic-token.js';
import { brotliFrames, gzipFrames } from '../framing.js';
import type { SessionLink } from '../framing.js';
import { Session } from '../session.js';
import type { SessionOptions } from '../session.js';
import { FakeRuntime } from '../testing/fake-runtime.js';

const USERS = 'SELECT * FROM user';

class Peer implements SessionLink {
  readonly session: Session;
  readonly frames: Uint8Array[] = [];
  readonly texts: string[] = [];
  isOpen = true;
  closedWith: string | undefined;

  constructor(database: FakeRuntime, options: Pick<SessionOptions, 'protocol'> & Partial<SessionOptions>) {
    this.session = new Session({
      database,
      caller: { identity: new Identity(7n), connectionId: new ConnectionId(1n), tokenPayload: undefined },
      token: 'tok',
      confirmed: false,
      link: this,
      onError: (error) => {
        throw error;
      },
      ...options,
    });
    this.session.start();
  }

  send(...parts: Uint8Array[]): void {
    const writer = new ByteWriter();
    for (const part of parts) writer.writeRaw(part);
    this.frames.push(writer.finish());
  }

  sendText(text: string): void {
    this.texts.push(text);
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closedWith = `${code} ${reason}`;
  }

  say(...messages: readonly ClientMessage[]): void {
    for (const message of messages) {
      const writer = new ByteWriter();
      encodeClientMessage(writer, message);
      this.session.receive(writer.finish());
    }
    this.session.endTurn();
  }

  /** Kinds of the messages since the last time. */
  heard(): string[] {
    return this.frames.splice(0).map((frame) => read(frame).kind);
  }
}

function read(frame: Uint8Array): ServerMessage {
  const body = frame.subarray(1);
  const bytes = frame[0] === 1 ? brotliDecompressSync(body) : frame[0] === 2 ? gunzipSync(body) : body;
  return decodeServerMessage(new ByteReader(bytes));
}

let database: FakeRuntime;

beforeEach(() => {
  database = new FakeRuntime();
  database.createTable('user');
  database.createTable('message');
});

const multi = (queryId: number, ...queries: readonly string[]): ClientMessage => ({
  kind: 'subscribeMulti',
  queries,
  requestId: 1,
  queryId,
});

describe('a refusal to a client of an older version, who wants confirmed things only', () => {
  const options = { confirmed: true } as const;

  test('v1.bsatn: waits for what it may be due to', () => {
    const client = new Peer(database, { protocol: 'v1.bsatn.spacetimedb', ...options });
    database.insert({ user: [Uint8Array.of(0x61)] });
    const args = new Uint8Array(0);
    client.say({ kind: 'callReducer', reducer: 'refuse', args, requestId: 1, noSuccessNotify: false });
    database.flushTurn();
    expect(client.heard()).toEqual(['identityToken']);
    database.log.sync();
    expect(client.heard()).toEqual(['transactionUpdate']);
  });

  test.each([
    ['v1.json.spacetimedb', { CallReducer: { reducer: 'refuse', args: '[]', request_id: 1, flags: 0 } }],
    ['v1.text.spacetimedb', { call: { fn: 'refuse', args: [] } }],
  ] as const)('%s: waits for what it may be due to', (protocol, message) => {
    const client = new Peer(database, { protocol, ...options });
    database.insert({ user: [Uint8Array.of(0x61)] });
    client.session.receiveText(JSON.stringify(message));
    client.session.endTurn();
    database.flushTurn();
    expect(client.texts.splice(0)).toHaveLength(1);
    database.log.sync();
    expect(client.texts.join()).toContain('nope');
  });
});

describe('v1', () => {
  test('a query that fails ends all subscriptions of the connection, and says so without ids', () => {
    const client = new Peer(database, { protocol: 'v1.bsatn.spacetimedb' });
    client.say(multi(1, USERS), multi(2, 'SELECT * FROM message'));
    database.flushTurn();
    client.heard();
    database.breakQuery(USERS);
    database.flushTurn();
    expect(read(client.frames.pop()!)).toMatchObject({
      kind: 'subscriptionError',
      requestId: undefined,
      queryId: undefined,
      tableId: undefined,
      error: 'division by zero',
    });
    database.insert({ message: [Uint8Array.of(0x61)] });
    database.flushTurn();
    expect(client.frames).toEqual([]);
    expect(database.attachments).toBe(0);
    client.say(multi(1, USERS));
    database.flushTurn();
    expect(client.heard()).toEqual(['subscribeMultiApplied']);
  });

  test('a client that waits for the disk hears of nothing before', () => {
    const [waiting, quick] = [true, false].map(
      (confirmed) => new Peer(database, { protocol: 'v1.bsatn.spacetimedb', confirmed }),
    );
    for (const client of [waiting!, quick!]) client.say(multi(1, USERS));
    database.log.sync();
    database.flushTurn();
    for (const client of [waiting!, quick!]) client.heard();
    database.insert({ user: [Uint8Array.of(0x61)] });
    database.flushTurn();
    expect(quick!.heard()).toEqual(['transactionUpdate']);
    expect(waiting!.heard()).toEqual([]);
    database.log.sync();
    expect(waiting!.heard()).toEqual(['transactionUpdate']);
  });

  test('too many messages in a turn close with 1013', () => {
    const client = new Peer(database, { protocol: 'v1.bsatn.spacetimedb', limits: { turnMessagesMax: 2 } });
    client.say(multi(1), multi(2), multi(3));
    expect(client.closedWith).toBe('1013 too many requests');
  });

  test('a connection holds as many queries as it may, the legacy set among them', () => {
    const client = new Peer(database, { protocol: 'v1.bsatn.spacetimedb', limits: { queriesMax: 2 } });
    const legacy: ClientMessage = { kind: 'subscribe', queries: [USERS], requestId: 5 };
    client.say(legacy, legacy, multi(1, 'SELECT * FROM message'), multi(2, `${USERS} WHERE 1`));
    database.flushTurn();
    expect(client.heard()).toEqual([
      'identityToken',
      'initialSubscription',
      'initialSubscription',
      'subscribeMultiApplied',
      'subscriptionError',
    ]);
  });
});

describe('v1.text', () => {
  test('a query that fails ends the connection with the reason', async () => {
    const client = new Peer(database, { protocol: 'v1.text.spacetimedb' });
    client.session.receiveText(`{"subscribe":{"query_strings":["${USERS}"]}}`);
    database.flushTurn();
    database.breakQuery(USERS);
    await Promise.resolve();
    expect(client.closedWith).toBe('1011 division by zero');
  });
});

describe('compressed frames', () => {
  const frames = (framing: typeof gzipFrames, ...payloads: readonly Uint8Array[]): Uint8Array[] => {
    const sent: Uint8Array[][] = [];
    const link = {
      isOpen: true,
      send: (...parts: Uint8Array[]) => void sent.push(parts),
      sendText: () => {},
      close: () => {},
    };
    framing.send(
      link,
      payloads.map((payload) => ({ payload, offset: 0 })),
      payloads.length,
    );
    return sent.map((parts) => Buffer.concat(parts));
  };

  test.each([
    ['brotli', brotliFrames, 1, brotliDecompressSync],
    ['gzip', gzipFrames, 2, gunzipSync],
  ] as const)('%s: 1024 bytes go as they are, 1025 are compressed', (_, framing, tag, unpack) => {
    const [short, long] = [new Uint8Array(1024).fill(7), new Uint8Array(1025).fill(7)];
    const [plain, packed] = frames(framing, short, long);
    expect(plain).toEqual(Buffer.concat([Uint8Array.of(0), short]));
    expect(packed![0]).toBe(tag);
    expect(packed!.length).toBeLessThan(100);
    expect(new Uint8Array(unpack(packed!.subarray(1)))).toEqual(long);
  });
});

describe('Basic authorization', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  test.each([
    [basic('token:a.b-c_d'), 'Bearer a.b-c_d'],
    [basic('token:a:b'), 'Bearer a:b'],
    [basic('ada:secret'), basic('ada:secret')],
    ['Basic %%%', 'Basic %%%'],
    ['Bearer x', 'Bearer x'],
  ])('%s is %s', (authorization, meant) => {
    expect(withBearer({ authorization })).toEqual({ authorization: meant });
  });
});
