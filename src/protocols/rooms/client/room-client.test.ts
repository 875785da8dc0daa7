import { afterEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { ManualClock } from '../../../base/clock.js';
import { decodeFrame, encodeMessage, type RoomMessage } from '../messages/message.js';
import { type Channel, channelPair } from './channel.js';
import { MemoryClient, MemoryServer } from './memory-wire.js';
import { RoomClient, type RoomClientOptions } from './room-client.js';
import { RoomManager } from './room-manager.js';
import { Room } from './room.js';

/* The handshake step by step: one side is ours, the other one is led by hand. */

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

/** The end of a channel that a test holds: what comes is a trace, what goes is said. */
class Hand {
  readonly trace: string[] = [];
  readonly doc = new Y.Doc();
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
    void this.#listen();
  }

  async #listen(): Promise<void> {
    for await (const frame of { [Symbol.asyncIterator]: () => this.#channel[Symbol.asyncIterator]() })
      for (const message of decodeFrame(frame)) this.#note(message);
    this.trace.push('end');
  }

  #note(message: RoomMessage): void {
    if (message.kind !== 'syncStep2' && message.kind !== 'update') {
      this.trace.push(message.kind === 'denied' ? `denied: ${message.reason}` : message.kind);
      return;
    }
    Y.applyUpdate(this.doc, message.update);
    this.trace.push(`${message.kind} ${JSON.stringify(this.doc.getText('t').toJSON())}`);
  }

  say(message: Parameters<typeof encodeMessage>[0]): void {
    void this.#channel.send(encodeMessage(message));
  }

  ask(): void {
    this.say({ kind: 'syncStep1', stateVector: Y.encodeStateVector(this.doc) });
  }

  answer(): void {
    this.say({ kind: 'syncStep2', update: Y.encodeStateAsUpdate(this.doc) });
  }

  /** Gives all that is under way its turn. */
  async settle(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.trace.splice(0);
  }

  close(): void {
    void this.#channel.close();
  }
}

class LedClient extends RoomClient {
  readonly hands: Hand[] = [];

  constructor(options: RoomClientOptions = {}) {
    super({ id: 'r', ...options });
    cleanups.push(() => this.close());
  }

  protected override async openChannel(): Promise<Channel> {
    const [own, theirs] = channelPair(this.id);
    this.hands.push(new Hand(theirs));
    return own;
  }

  insert(text: string): void {
    this.doc.getText('t').insert(this.doc.getText('t').length, text);
  }
}

async function lead(
  options?: RoomClientOptions,
): Promise<{ client: LedClient; hand: Hand; opening: Promise<unknown> }> {
  const client = new LedClient(options);
  const opening = client.open();
  opening.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  return { client, hand: client.hands[0]!, opening };
}

describe('a client', () => {
  it('has the defaults of the reference', () => {
    const client = new MemoryClient({ server: new MemoryServer() });
    const { id, autoPush, autoPull, status, isSynchronized, channel } = client;
    expect({ id, autoPush, autoPull, status, isSynchronized, channel }).toEqual({
      id: '',
      autoPush: true,
      autoPull: true,
      status: 'closed',
      isSynchronized: false,
      channel: undefined,
    });
    expect(client.doc).toBeInstanceOf(Y.Doc);
    const manual = new LedClient({ autoUpdate: false });
    expect([manual.autoPush, manual.autoPull]).toEqual([false, false]);
    const half = new LedClient({ autoUpdate: false, autoPull: true });
    expect([half.autoPush, half.autoPull]).toEqual([false, true]);
  });

  it('asks first, and is open when it is answered', async () => {
    const { client, hand, opening } = await lead();
    expect(await hand.settle()).toEqual(['syncStep1']);
    hand.doc.getText('t').insert(0, 'theirs');
    expect(client.isSynchronized).toBe(false);
    hand.answer();
    await opening;
    expect([client.isSynchronized, client.doc.getText('t').toJSON()]).toEqual([true, 'theirs']);
  });

  it('sends what was edited between its answer and the one to its question, and once', async () => {
    const { client, hand } = await lead();
    client.insert('a');
    hand.ask();
    expect(await hand.settle()).toEqual(['syncStep1', 'syncStep2 "a"']);
    client.insert('b');
    expect(await hand.settle()).toEqual(['update "ab"']);
    hand.answer();
    // Some servers answer twice: nobody sends every edit twice for that.
    hand.answer();
    client.insert('c');
    expect(await hand.settle()).toEqual(['update "abc"']);
  });

  it('sends nothing before it was asked: the answer will hold it', async () => {
    const { client, hand } = await lead();
    hand.answer();
    client.insert('a');
    expect(await hand.settle()).toEqual(['syncStep1']);
    hand.ask();
    expect(await hand.settle()).toEqual(['syncStep2 "a"']);
  });

  it('does not send back what it was sent', async () => {
    const { client, hand } = await lead();
    hand.ask();
    hand.answer();
    await hand.settle();
    hand.doc.getText('t').insert(0, 'x');
    hand.say({ kind: 'update', update: Y.encodeStateAsUpdate(hand.doc) });
    expect(await hand.settle()).toEqual([]);
    expect(client.doc.getText('t').toJSON()).toBe('x');
  });

  it('asks again when something is missing that an update builds on', async () => {
    const { client, hand } = await lead();
    hand.ask();
    hand.answer();
    await hand.settle();
    hand.doc.getText('t').insert(0, 'a');
    const first = Y.encodeStateVector(hand.doc);
    hand.doc.getText('t').insert(1, 'b');
    hand.say({ kind: 'update', update: Y.encodeStateAsUpdate(hand.doc, first) });
    expect(await hand.settle()).toEqual(['syncStep1']);
    hand.answer();
    await hand.settle();
    expect(client.doc.getText('t').toJSON()).toBe('ab');
  });

  it('by hand: nothing before pull, then one message for each; nothing before push, then all', async () => {
    const { client, hand } = await lead({ autoUpdate: false });
    hand.ask();
    hand.doc.getText('t').insert(0, 'a');
    expect([await hand.settle(), client.isSynchronized]).toEqual([[], false]);
    const pulled = client.pull();
    hand.answer();
    await pulled;
    expect(await hand.settle()).toEqual(['syncStep1', 'syncStep2 "a"']);
    for (const letter of ['b', 'c']) {
      hand.doc.getText('t').insert(hand.doc.getText('t').length, letter);
      hand.say({ kind: 'update', update: Y.encodeStateAsUpdate(hand.doc) });
    }
    await hand.settle();
    const texts = [client.doc.getText('t').toJSON()];
    for (let i = 0; i < 2; i++) {
      await client.pull();
      texts.push(client.doc.getText('t').toJSON());
    }
    expect(texts).toEqual(['a', 'ab', 'abc']);
    client.insert('d');
    client.insert('e');
    expect(await hand.settle()).toEqual([]);
    client.push();
    expect(await hand.settle()).toEqual(['update "abcd"', 'update "abcde"']);
  });

  it('without `reconnect` ends with its connection, and says so to who waits for it', async () => {
    const { client, hand, opening } = await lead();
    hand.close();
    await expect(opening).rejects.toThrow('the connection ended');
    await expect(client.synchronized).rejects.toThrow('the connection ended');
    expect(client.status).toBe('closed');
  });

  it('tells its status, and does not wait when told to connect now', async () => {
    const statuses: string[] = [];
    const onStatus = (status: string): void => void statuses.push(status);
    const { client, hand } = await lead({ reconnect: { minMs: 3_600_000 }, onStatus });
    hand.close();
    await expect.poll(() => client.status).toBe('closed');
    client.reconnectNow();
    await expect.poll(() => client.hands.length).toBe(2);
    expect(statuses).toEqual(['connecting', 'connected', 'closed', 'connecting', 'connected']);
  });
});

describe('a client that connects again', () => {
  it('waits longer each time that it is let in and thrown out at once; when it was served, as at first', async () => {
    const clock = new ManualClock();
    const { client, hand } = await lead({ reconnect: { minMs: 100 }, clock });
    let open = hand;
    const next = async (ms: number): Promise<number> => {
      // As servers do with whomever they let in.
      open.ask();
      await open.settle();
      open.close();
      await open.settle();
      clock.advance(ms);
      await open.settle();
      open = client.hands.at(-1)!;
      return client.hands.length;
    };
    expect([await next(99), await next(1), await next(199), await next(1)]).toEqual([1, 2, 2, 3]);
    open.ask();
    open.answer();
    await client.synchronized;
    expect([await next(99), await next(1)]).toEqual([3, 4]);
  });

  it('asks a server that is silent for 30 s, and gives it up after 30 s more', async () => {
    const clock = new ManualClock();
    const { client, hand } = await lead({ reconnect: true, clock });
    hand.ask();
    hand.answer();
    await hand.settle();
    clock.advance(29_999);
    expect(await hand.settle()).toEqual([]);
    clock.advance(1);
    expect(await hand.settle()).toEqual(['syncStep1']);
    hand.answer();
    await hand.settle();
    clock.advance(30_000);
    expect(await hand.settle()).toEqual(['syncStep1']);
    clock.advance(29_999);
    expect([await hand.settle(), client.status]).toEqual([[], 'connected']);
    clock.advance(1);
    expect(await hand.settle()).toEqual(['end']);
    clock.advance(100);
    await hand.settle();
    expect([client.hands.length, client.status]).toEqual([2, 'connected']);
    await client.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes a server that sends nonsense for one that is gone, and says what it was', async () => {
    const clock = new ManualClock();
    const { client, hand } = await lead({ reconnect: true, clock });
    hand.say({ kind: 'update', update: Uint8Array.of(9, 9, 9) });
    expect(await hand.settle()).toEqual(['syncStep1', 'end']);
    expect(client.error).toBeInstanceOf(Error);
    clock.advance(100);
    await hand.settle();
    const [, second] = client.hands;
    second!.answer();
    await client.synchronized;
  });
});

describe('a room', () => {
  it('sends a client no update before it has answered it: it would build on what the client lacks', async () => {
    const room = new Room('r');
    room.tasks.start((signal) => room.run(signal));
    cleanups.push(() => room[Symbol.asyncDispose]());
    const [own, theirs] = channelPair('r');
    const hand = new Hand(theirs);
    void room.serve(own);
    room.doc.getText('t').insert(0, 'a');
    expect(await hand.settle()).toEqual(['syncStep1']);
    hand.ask();
    expect(await hand.settle()).toEqual(['syncStep2 "a"']);
    room.doc.getText('t').insert(1, 'b');
    expect(await hand.settle()).toEqual(['update "ab"']);
  });

  it('tells who sends nonsense why it is not served any more; the others are', async () => {
    const rooms = new RoomManager();
    cleanups.push(() => rooms.close());
    const hands = [1, 2].map(() => {
      const [own, theirs] = channelPair('r');
      void rooms.serve(own);
      return new Hand(theirs);
    });
    const [bad, good] = hands as [Hand, Hand];
    for (const hand of hands) hand.ask();
    for (const hand of hands) await hand.settle();
    bad.say({ kind: 'update', update: Uint8Array.of(9, 9, 9) });
    expect(await bad.settle()).toEqual([expect.stringMatching(/^denied: ./), 'end']);
    (await rooms.find('r'))!.doc.getText('t').insert(0, 'x');
    expect(await good.settle()).toEqual(['update "x"']);
  });
});
