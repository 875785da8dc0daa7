import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import { encodeAwareness, decodeAwareness } from '../messages/awareness.js';
import { VarWriter } from '../../../base/var-writer.js';
import { type FakeSocket, RoomFixture } from './testing/room-fixture.js';

/** Updates that type a text letter by letter. */
function typing(text: string): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => void updates.push(update));
  for (let i = 0; i < text.length; i++) doc.getText('t').insert(i, text.charAt(i));
  return updates;
}

/** What a client has that applied everything it heard. */
function textHeard(socket: FakeSocket, address?: string): string {
  const doc = new Y.Doc();
  for (const message of socket.messages(address))
    if (message.kind === 'syncStep2' || message.kind === 'update') Y.applyUpdate(doc, message.update);
  return doc.getText('t').toJSON();
}

const count = (socket: FakeSocket, kind: string): number =>
  socket.kinds().filter((each) => each === kind).length;

const presence = (clientId: number, clock: number, json = '{}'): Uint8Array =>
  encodeAwareness([{ clientId, clock, json }]);

function token(address: string, text = 'tok'): Uint8Array {
  return new VarWriter()
    .writeVarString(address)
    .writeU8(2)
    .writeU8(0)
    .writeVarString(text)
    .writeVarString('4')
    .finish();
}

describe('the handshake', () => {
  it.each([1, 2, 5, 10])(
    '%d clients that each edit once hear two messages more than there are clients',
    async (n) => {
      const fixture = new RoomFixture();
      const sockets = Array.from({ length: n }, () => fixture.connect().sync());
      await fixture.settle();
      for (const socket of sockets) socket.send({ kind: 'update', update: typing('x')[0]! });
      await fixture.settle();
      for (const socket of sockets)
        expect(socket.kinds()).toEqual([
          'syncStep1',
          'syncStep2',
          ...Array.from({ length: n }, () => 'update'),
        ]);
    },
  );

  it('is over before anybody is told of updates, and then lacks none', async () => {
    const fixture = new RoomFixture();
    const [writer, late] = [fixture.connect().sync(), fixture.connect()];
    // Something that is no syncStep1 joins as well.
    late.send({ kind: 'queryAwareness' });
    await fixture.settle();
    for (const update of typing('abc')) writer.send({ kind: 'update', update });
    await fixture.settle();
    expect(late.kinds()).not.toContain('update');
    late.sync();
    await fixture.settle();
    expect(textHeard(late)).toBe('abc');
  });

  it('what is not on disk yet is in no syncStep2, and follows when it is', async () => {
    const fixture = new RoomFixture();
    const [writer, reader] = [fixture.connect().sync(), fixture.connect()];
    await fixture.settle();
    fixture.log.hold();
    writer.send({ kind: 'update', update: typing('x')[0]! });
    reader.sync();
    await fixture.settle();
    expect([textHeard(reader), textHeard(writer)]).toEqual(['', '']);
    fixture.log.sync();
    expect([textHeard(reader), textHeard(writer)]).toEqual(['x', 'x']);
  });
});

describe('leaving', () => {
  it('ends the room, and keeps the document', async () => {
    const fixture = new RoomFixture();
    const socket = fixture.connect().sync();
    await fixture.settle();
    socket.send({ kind: 'update', update: typing('x')[0]! });
    expect(fixture.rooms.openCount).toBe(1);
    socket.close();
    expect(fixture.rooms.openCount).toBe(0);
    const next = fixture.connect().sync();
    await fixture.settle();
    expect(textHeard(next)).toBe('x');
  });

  it('who comes in the moment in which the last one goes is in the same room as everybody after', async () => {
    let finishLoading = (): void => {};
    const fixture = new RoomFixture({
      '*path': { onLoad: () => new Promise<void>((resolve) => void (finishLoading = resolve)) },
    });
    const first = fixture.connect().sync();
    await fixture.settle();
    first.close();
    const second = fixture.connect().sync();
    await fixture.settle();
    finishLoading();
    await fixture.settle();
    const third = fixture.connect().sync();
    await fixture.settle();
    second.send({ kind: 'update', update: typing('x')[0]! });
    await fixture.settle();
    expect(fixture.rooms.find('r')?.members.size).toBe(2);
    expect([textHeard(second), textHeard(third)]).toEqual(['x', 'x']);
  });

  it('a room whose onLoad fails is loaded anew for who comes next', async () => {
    let attempts = 0;
    const onLoad = (): void => {
      if (++attempts === 1) throw new Error('not yet');
    };
    const fixture = new RoomFixture({ '*path': { onLoad } });
    const first = fixture.connect().sync();
    await fixture.settle();
    expect([first.closed?.code, fixture.rooms.openCount, fixture.errors.length]).toEqual([1011, 0, 1]);
    const second = fixture.connect().sync();
    await fixture.settle();
    expect([second.closed, attempts]).toEqual([undefined, 2]);
  });

  it('a socket that ends while the room is loaded leaves nothing behind', async () => {
    const fixture = new RoomFixture({ '*path': { onLoad: async () => {} } });
    fixture.connect().sync().close();
    await fixture.settle();
    expect([fixture.rooms.openCount, fixture.documents.ids]).toEqual([0, []]);
  });
});

describe('time', () => {
  it('no client that says nothing hears nothing for 30 s, which y-websocket would take for the end', async () => {
    const fixture = new RoomFixture();
    const socket = fixture.connect().sync();
    await fixture.settle();
    for (let second = 0; second < 300; second++) fixture.clock.advance(1000);
    const times = [...socket.heardMs, fixture.clock.monotonicMs()];
    const silences = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.max(...silences)).toBeLessThan(30_000);
    expect(socket.closed).toBeUndefined();
  });

  it('one timer serves all rooms', async () => {
    const fixture = new RoomFixture();
    for (let i = 0; i < 50; i++) fixture.connect(`r${i}`).sync();
    await fixture.settle();
    expect([fixture.rooms.openCount, fixture.wheel.count]).toEqual([50, 1]);
  });

  it('who has gone silent is gone for everybody', async () => {
    const fixture = new RoomFixture();
    const [ada, bob] = [fixture.connect().sync(), fixture.connect().sync()];
    await fixture.settle();
    ada.send({ kind: 'awareness', update: presence(1, 1) });
    await fixture.settle();
    fixture.clock.advance(40_000);
    await fixture.settle();
    const last = bob.messages().findLast((message) => message.kind === 'awareness');
    const told = bob
      .messages()
      .flatMap((message) => (message.kind === 'awareness' ? decodeAwareness(message.update) : []));
    expect(last).toBeDefined();
    expect(told.map(({ clientId, json }) => [clientId, json])).toContainEqual([1, 'null']);
  });
});

describe('a slow reader', () => {
  it('is sent nothing while it is behind, and then all it missed as one update; the room goes on', async () => {
    const fixture = new RoomFixture();
    const [writer, slow, quick] = [1, 2, 3].map(() => fixture.connect().sync()) as [
      FakeSocket,
      FakeSocket,
      FakeSocket,
    ];
    await fixture.settle();
    slow.handler.onOverflow();
    for (const update of typing('hello world')) writer.send({ kind: 'update', update });
    await fixture.settle();
    expect([count(slow, 'update'), count(quick, 'update')]).toEqual([0, 11]);
    slow.handler.onDrain();
    expect(count(slow, 'update')).toBe(1);
    expect([textHeard(slow), textHeard(quick)]).toEqual(['hello world', 'hello world']);
    writer.send({ kind: 'update', update: typing('x')[0]! });
    await fixture.settle();
    expect(count(slow, 'update')).toBe(2);
  });
});

describe('presence', () => {
  it('of who may only read is shown as well', async () => {
    const fixture = new RoomFixture({ '*path': { authorize: () => 'read' } });
    const [ada, bob] = [fixture.connect().sync(), fixture.connect().sync()];
    await fixture.settle();
    ada.send({ kind: 'awareness', update: presence(1, 1) });
    await fixture.settle();
    expect(bob.kinds()).toContain('awareness');
  });

  it('who is not told of leaving is not told of being there: a client hears of the others once it is synced', async () => {
    const fixture = new RoomFixture();
    const ada = fixture.connect().sync();
    await fixture.settle();
    ada.send({ kind: 'awareness', update: presence(1, 1) });
    await fixture.settle();
    const [late, stays] = [fixture.connect(), fixture.connect()];
    for (const socket of [late, stays]) socket.send({ kind: 'awareness', update: presence(2, 1, 'null') });
    await fixture.settle();
    stays.sync();
    await fixture.settle();
    expect(stays.kinds()).toContain('awareness');
    ada.send({ kind: 'awareness', update: presence(1, 2, 'null') });
    await fixture.settle();
    late.sync();
    await fixture.settle();
    expect(late.kinds()).not.toContain('awareness');
  });

  it('a flood leaves as one message a turn, of sixteen clients at most', async () => {
    const fixture = new RoomFixture();
    const [ada, bob] = [fixture.connect().sync(), fixture.connect().sync()];
    await fixture.settle();
    for (let i = 1; i <= 2000; i++) ada.send({ kind: 'awareness', update: presence(i % 100, i) });
    await fixture.settle();
    const heard = bob.messages().filter((message) => message.kind === 'awareness');
    expect(heard).toHaveLength(1);
    expect(decodeAwareness((heard[0] as { update: Uint8Array }).update)).toHaveLength(16);
    ada.send({
      kind: 'awareness',
      update: encodeAwareness(
        Array.from({ length: 1001 }, (_, clientId) => ({ clientId, clock: 1, json: '{}' })),
      ),
    });
    expect(ada.closed?.code).toBe(1007);
    expect(bob.closed).toBeUndefined();
  });

  it('a clock of 2^53 - 1 is the last one, and one above ends its sender', async () => {
    const fixture = new RoomFixture();
    const [ada, bob] = [fixture.connect().sync(), fixture.connect().sync()];
    await fixture.settle();
    ada.send({ kind: 'awareness', update: presence(1, Number.MAX_SAFE_INTEGER) });
    await fixture.settle();
    expect(bob.kinds()).toContain('awareness');
    // One client; its clock is 2^53, LEB128.
    const above = Uint8Array.of(1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 2, 123, 125);
    ada.send({ kind: 'awareness', update: above });
    await fixture.settle();
    expect([ada.closed?.code, bob.closed]).toEqual([1007, undefined]);
  });
});

describe('Hocuspocus', () => {
  it('several documents share a socket, and leaving one does not touch the others', async () => {
    const fixture = new RoomFixture();
    const socket = fixture.connect('');
    for (const address of ['a', 'b']) socket.sendRaw(token(address)).sync(address);
    await fixture.settle();
    const [a, b] = [fixture.connect('a').sync(), fixture.connect('b').sync()];
    await fixture.settle();
    a.send({ kind: 'update', update: typing('in a')[0]! });
    b.send({ kind: 'update', update: typing('b')[0]! });
    await fixture.settle();
    expect([textHeard(socket, 'a'), textHeard(socket, 'b')]).toEqual(['i', 'b']);
    socket.sendRaw(Uint8Array.of(1, 97, 7, 0));
    expect([fixture.rooms.find('a')?.members.size, fixture.rooms.find('b')?.members.size]).toEqual([1, 2]);
    a.send({ kind: 'update', update: typing('x')[0]! });
    socket.send({ kind: 'update', update: typing('y')[0]! }, 'b');
    await fixture.settle();
    expect(textHeard(socket, 'a')).toBe('i');
    expect(textHeard(b)).toHaveLength(2);
  });

  it('what is sent before the token waits for it, and is answered then', async () => {
    const fixture = new RoomFixture();
    const socket = fixture.connect('').sync('docs');
    socket.send({ kind: 'update', update: typing('x')[0]! }, 'docs');
    await fixture.settle();
    expect([socket.frames, fixture.rooms.openCount]).toEqual([[], 0]);
    socket.sendRaw(token('docs'));
    await fixture.settle();
    expect(socket.kinds('docs')).toEqual(['syncStep1', 'syncStep2', 'update']);
    const kept = Uint8Array.of(4, 100, 111, 99, 115, 8, 1);
    expect(socket.frames).toContainEqual(kept);
  });

  it('what is sent before a token that opens nothing never arrives', async () => {
    const fixture = new RoomFixture({ '*path': { authorize: () => 'deny' } });
    const socket = fixture.connect('').send({ kind: 'update', update: typing('x')[0]! }, 'docs');
    socket.sendRaw(token('docs'));
    await fixture.settle();
    expect(socket.frames.map((frame) => Array.from(frame.slice(5, 7)))).toEqual([[2, 1]]);
    expect([socket.closed, fixture.documents.ids]).toEqual([undefined, []]);
  });

  it('a name of 64 KB is refused, and the other documents of the socket go on', async () => {
    const fixture = new RoomFixture();
    const socket = fixture.connect('').sendRaw(token('docs')).sync('docs');
    socket.sendRaw(token('x'.repeat(65_536)));
    await fixture.settle();
    expect(socket.closed).toBeUndefined();
    expect(fixture.rooms.openCount).toBe(1);
    expect(socket.kinds('docs')).toContain('syncStep2');
    expect(socket.frames.some((frame) => frame.length > 65_536)).toBe(true);
  });
});
