import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as nextRound } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import {
  overMemory,
  overRawSocket,
  overWebSocket,
  Peer,
  type Place,
} from '../../../../../test/conformance/wamp-peer.js';
import { type Clock, ManualClock, systemClock } from '../../../../base/clock.js';
import { Listener } from '../../../../net/listener.js';
import type { WebSocketLimits } from '../../../../net/net-limits.js';
import { jsonSerializer } from '../../messages/json.js';
import { msgpackSerializer } from '../../messages/msgpack.js';
import { encodeHandshake, encodeRawFrame, FrameType } from '../../messages/raw-socket.js';
import { mountWamp } from '../mount.js';
import type { RouterLimits } from '../options.js';
import { WampRouter } from '../router.js';
import type { LongPollLimits } from './long-poll.js';
import type { RawSocketLimits } from './raw-socket.js';

/* What peers can do wrong on a wire. */

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Options {
  readonly limits?: Partial<RouterLimits>;
  readonly rawSocket?: Partial<RawSocketLimits>;
  readonly longPoll?: Partial<LongPollLimits>;
  readonly webSocket?: Partial<WebSocketLimits>;
  readonly clock?: Clock;
}

async function start(options: Options = {}): Promise<Place> {
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const { limits = {}, clock = systemClock } = options;
  const router = new WampRouter({ realms: { realm1: {} }, onError, limits, clock });
  const listener = await Listener.listen({ onError, limits: { webSocket: options.webSocket ?? {} } });
  mountWamp(listener, router, options);
  closers.push(async () => {
    router.close();
    await listener.close({ drainMs: 0 });
    expect(errors).toEqual([]);
  });
  return { router, url: listener.url, port: listener.port, unixPath: '' };
}

/** A socket, and all that it has received. */
async function connect({
  port,
}: Place): Promise<{ socket: net.Socket; bytes: () => number[]; ended: Promise<unknown> }> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  closers.push(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'connect');
  return { socket, bytes: () => Array.from(Buffer.concat(chunks)), ended: once(socket, 'close') };
}

const HELLO = '[1,"realm1",{"roles":{"subscriber":{}}}]';

describe('RawSocket', () => {
  it.each([
    ['an unknown serializer is error 1', [0x7f, 0xf5, 0, 0], [0x7f, 0x10, 0, 0]],
    ['no serializer is error 1', [0x7f, 0xf0, 0, 0], [0x7f, 0x10, 0, 0]],
    ['reserved octets are error 3', [0x7f, 0xf1, 0, 1], [0x7f, 0x30, 0, 0]],
  ])('%s', async (_name, sent, expected) => {
    const { socket, bytes, ended } = await connect(await start());
    // Octet by octet: a handshake may come in pieces.
    for (const octet of sent) socket.write(Uint8Array.of(octet));
    await ended;
    expect(bytes()).toEqual(expected);
  });

  it('a PING is answered with its octets, a frame past the agreed length with ABORT', async () => {
    const { socket, bytes, ended } = await connect(await start({ limits: { messageBytesMax: 1024 } }));
    socket.write(encodeHandshake(1, 2 ** 24));
    socket.write(encodeRawFrame(FrameType.ping, Uint8Array.of(1, 2, 3)));
    await expect.poll(bytes).toEqual([0x7f, 0x11, 0, 0, 2, 0, 0, 3, 1, 2, 3]);
    socket.write(Uint8Array.of(0, 0, 4, 1));
    await ended;
    expect(Buffer.from(bytes().slice(15)).toString()).toContain('wamp.error.protocol_violation');
  });

  it('events longer than the peer takes are left out; results are errors', async () => {
    const place = await start();
    const { socket, bytes } = await connect(place);
    const send = (text: string) => socket.write(encodeRawFrame(FrameType.message, Buffer.from(text)));
    const text = () => Buffer.from(bytes()).toString('latin1');
    socket.write(encodeHandshake(1, 2048));
    send('[1,"realm1",{"roles":{"subscriber":{},"caller":{}}}]');
    send('[32,1,{},"com.t"]');
    const other = await Peer.join(place, overMemory);
    closers.push(() => other.close());
    await other.register('com.long');
    await expect.poll(text).toContain('[33,1,');
    await other.publish('com.t', ['x'.repeat(2048)]);
    await other.publish('com.t', ['short']);
    send('[48,2,{},"com.long"]');
    await other.next();
    other.send(70, 1, {}, ['x'.repeat(2048)]);
    await expect.poll(text).toContain('wamp.error.payload_size_exceeded');
    expect(text()).toContain('short');
    expect(text()).not.toContain('xxx');
  });

  it('who is silent is asked by PINGs, and stays as long as they are answered', async () => {
    const clock = new ManualClock();
    const place = await start({ clock, rawSocket: { pingMs: 1000, idleMs: 2500 } });
    const { socket, bytes, ended } = await connect(place);
    socket.write(encodeHandshake(1, 2 ** 24));
    socket.write(encodeRawFrame(FrameType.message, Buffer.from(HELLO)));
    await expect.poll(() => place.router.realm('realm1')!.sessions.size).toBe(1);
    const pings = (): number => Buffer.from(bytes()).toString('latin1').split('\u0001\0\0\0').length - 1;
    for (let round = 1; round <= 5; round++) {
      clock.advance(1100);
      await expect.poll(pings).toBe(round);
      socket.write(encodeRawFrame(FrameType.pong, new Uint8Array(0)));
      // Its answer says that the PONG has been read, too.
      socket.write(encodeRawFrame(FrameType.ping, Buffer.from(`round ${round}`)));
      await expect.poll(() => Buffer.from(bytes()).toString('latin1')).toContain(`round ${round}`);
    }
    expect(place.router.connectionCount).toBe(1);
    for (let round = 1; round <= 3; round++) clock.advance(1100);
    await ended;
    await expect.poll(() => place.router.connectionCount).toBe(0);
  });

  it('who does not finish the handshake, or is not heard any more, is dropped', async () => {
    const place = await start({ limits: { joinMs: 50 }, rawSocket: { pingMs: 20, idleMs: 60 } });
    const half = await connect(place);
    half.socket.write(Uint8Array.of(0x7f));
    await half.ended;
    const silent = await connect(place);
    silent.socket.write(encodeHandshake(1, 512));
    silent.socket.write(encodeRawFrame(FrameType.message, Buffer.from(HELLO)));
    await silent.ended;
    await expect.poll(() => place.router.connectionCount).toBe(0);
  });
});

/** Joins and sends a request, as raw octets. */
function beginReading(kind: string, socket: net.Socket, request = '[32,1,{},"com.t"]'): void {
  if (kind === 'WebSocket') {
    socket.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n',
    );
    const frame = (text: string) =>
      Buffer.concat([Buffer.of(0x81, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text)]);
    socket.write(Buffer.concat([frame(HELLO), frame(request)]));
  } else {
    socket.write(encodeHandshake(1, 2 ** 24));
    for (const text of [HELLO, request]) {
      socket.write(encodeRawFrame(FrameType.message, Buffer.from(text)));
    }
  }
}

describe.each([
  ['WebSocket', overWebSocket(jsonSerializer)],
  ['RawSocket', overRawSocket(jsonSerializer)],
])('a subscriber that stops reading, over %s', (kind, connectOver) => {
  it('misses events; its queue stays within the limit, and others miss nothing', async () => {
    const queueBytes = 64 * 1024;
    const place = await start({ limits: { queueBytes } });
    const quick = await Peer.join(place, connectOver);
    await quick.subscribe('com.t');
    const slow = await connect(place);
    beginReading(kind, slow.socket);
    const text = () => Buffer.from(slow.bytes()).toString('latin1');
    await expect.poll(text).toContain('[33,1,');
    slow.socket.pause();
    const publisher = await Peer.join(place, overMemory);
    const [, slowSession] = [...place.router.findRealm('realm1')!.sessions.values()];
    let deepest = 0;
    for (let n = 0; n < 20_000; n++) {
      publisher.send(16, n + 1, {}, 'com.t', ['x'.repeat(1000)]);
      if (n % 50 !== 49) continue;
      for (let seen = 0; seen < 50; seen++) expect((await quick.next())[0]).toBe(36);
      deepest = Math.max(deepest, slowSession!.output.queuedBytes);
    }
    // Twenty megabytes were published; what waits is the limit and a write that is under way.
    expect(deepest).toBeGreaterThan(queueBytes);
    expect(deepest).toBeLessThan(queueBytes + 512 * 1024);
    for (const peer of [quick, publisher]) peer.close();
  });

  it('100,000 progress chunks for a caller that stops reading stay within its queue', async () => {
    const queueBytes = 64 * 1024;
    const place = await start({ limits: { queueBytes } });
    const callee = await Peer.join(place, overMemory);
    await callee.register('com.report');
    const slow = await connect(place);
    beginReading(kind, slow.socket, '[48,2,{"receive_progress":true},"com.report"]');
    const [, , , details] = await callee.next();
    expect(details).toEqual({ receive_progress: true });
    slow.socket.pause();
    const [, slowSession] = [...place.router.findRealm('realm1')!.sessions.values()];
    let deepest = 0;
    for (let n = 0; n < 100_000; n++) {
      callee.send(70, 1, { progress: true }, ['x'.repeat(128)]);
      if (n % 100 !== 99) continue;
      await nextRound();
      deepest = Math.max(deepest, slowSession!.output.queuedBytes);
    }
    expect(await callee.next()).toEqual([
      69,
      1,
      { mode: 'killnowait', reason: 'wamp.error.network_failure' },
    ]);
    expect([slowSession!.calls.size, slowSession!.isOpen]).toEqual([0, true]);
    expect(deepest).toBeGreaterThan(queueBytes / 2);
    expect(deepest).toBeLessThan(queueBytes + 16 * 1024);
    callee.close();
  });

  it('is sent away when nothing has fitted for a time, and nothing of it is left', async () => {
    const limits = { queueBytes: 64 * 1024, slowMs: 100, goodbyeMs: 50 };
    const place = await start({ limits, rawSocket: { closeDrainMs: 50 }, webSocket: { closeDrainMs: 50 } });
    const slow = await connect(place);
    beginReading(kind, slow.socket);
    await expect.poll(() => Buffer.from(slow.bytes()).toString('latin1')).toContain('[33,1,');
    slow.socket.pause();
    const publisher = await Peer.join(place, overMemory);
    const realm = place.router.findRealm('realm1')!;
    while (realm.sessions.size > 1) {
      for (let n = 0; n < 50; n++) publisher.send(16, 1, {}, 'com.t', ['x'.repeat(1000)]);
      await nextRound();
    }
    await expect.poll(() => place.router.connectionCount).toBe(1);
    publisher.close();
  });
});

describe.each([['WebSocket'], ['RawSocket']])('a callee that is half open, over %s', (kind) => {
  it('is found out by pings; calls under way are canceled, others go elsewhere', async () => {
    const heartbeat = { pingMs: 50, idleMs: 150 };
    const place = await start({ rawSocket: heartbeat, webSocket: heartbeat });
    const halfOpen = await connect(place);
    beginReading(kind, halfOpen.socket, '[64,1,{"invoke":"first"},"com.work"]');
    const text = () => Buffer.from(halfOpen.bytes()).toString('latin1');
    await expect.poll(text).toContain('[65,1,');
    const [other, caller] = [await Peer.join(place, overMemory), await Peer.join(place, overMemory)];
    await other.register('com.work', { invoke: 'first' });
    caller.send(48, 1, {}, 'com.work');
    await expect.poll(text).toContain('[68,1,');
    expect((await caller.next()).slice(2, 5)).toEqual([1, {}, 'wamp.error.canceled']);
    caller.send(48, 2, {}, 'com.work');
    expect((await other.next())[0]).toBe(68);
    for (const peer of [other, caller]) peer.close();
  });
});

describe('WebSocket', () => {
  it('the wrong kind of frame, and what is no message, is ABORT', async () => {
    const { url } = await start();
    for (const data of [Buffer.from(HELLO), 'no json', '{}', '[]', '[1]', '[1,2,3]']) {
      const socket = new WebSocket(url.replace('http', 'ws'), ['wamp.2.json']);
      await once(socket, 'open');
      socket.send(data);
      const [answer] = (await once(socket, 'message')) as [Buffer];
      expect(answer.toString()).toContain('wamp.error.protocol_violation');
      await once(socket, 'close');
    }
  });

  it('the first known subprotocol is chosen; with none it is not ours', async () => {
    const { url } = await start();
    const open = new WebSocket(url.replace('http', 'ws'), ['wamp.2.ubjson', 'wamp.2.cbor', 'wamp.2.json']);
    await once(open, 'open');
    expect(open.protocol).toBe('wamp.2.cbor');
    open.terminate();
    const other = new WebSocket(url.replace('http', 'ws'), ['wamp.2.ubjson']);
    const [error] = (await once(other, 'error')) as [Error];
    expect(error.message).toContain('404');
  });
});

describe('a payload whose octets lie', () => {
  it('ends its sender when the router looks into it, and is an error when it has to be transcoded', async () => {
    const place = await start();
    const callee = await Peer.join(place, overWebSocket(jsonSerializer));
    closers.push(() => callee.close());
    await callee.register('com.p');
    // [48, 2, {}, procedure, {}]: the arguments are a dict.
    const call = (procedure: string) =>
      Buffer.concat([
        Buffer.of(0x95, 48, 2, 0x80, 0xa0 | procedure.length),
        Buffer.from(procedure),
        Buffer.of(0x80),
      ]);
    for (const [procedure, uri] of [
      ['com.p', 'wamp.error.invalid_argument'],
      ['wamp.session.count', 'wamp.error.protocol_violation'],
    ] as const) {
      const socket = new WebSocket(place.url.replace('http', 'ws'), ['wamp.2.msgpack']);
      closers.push(() => socket.terminate());
      await once(socket, 'open');
      socket.send(msgpackSerializer.encode({ type: 1, realm: 'realm1', details: { roles: { caller: {} } } }));
      await once(socket, 'message');
      socket.send(call(procedure));
      const [answer] = (await once(socket, 'message')) as [Buffer];
      expect(answer.toString('latin1')).toContain(uri);
    }
  });
});

describe('long-poll', () => {
  const post = ({ url }: Place, path: string, body = ''): Promise<Response> =>
    fetch(`${url}/wamp/lp/${path}`, { method: 'POST', body });

  async function open(place: Place): Promise<string> {
    const response = await post(place, 'open', '{"protocols":["wamp.2.json"]}');
    return ((await response.json()) as { transport: string }).transport;
  }

  it('what is not asked properly is refused', async () => {
    const place = await start({ longPoll: { transportsMax: 1 } });
    for (const body of ['', '{}', '{"protocols":["wamp.2.ubjson"]}', '{"protocols":[1]}']) {
      expect((await post(place, 'open', body)).status).toBe(400);
    }
    expect((await post(place, 'nothing/receive')).status).toBe(404);
    const transport = await open(place);
    expect((await post(place, 'open', '{"protocols":["wamp.2.json"]}')).status).toBe(503);
    expect((await post(place, `${transport}/send`, 'no json')).status).toBe(400);
    expect(await (await post(place, `${transport}/receive`)).text()).toContain('protocol_violation');
    expect((await post(place, `${transport}/receive`)).status).toBe(404);
  });

  it('a held receive is answered empty after a while, a newer one takes its place', async () => {
    const place = await start({ longPoll: { holdMs: 50, idleMs: 10_000 } });
    const transport = await open(place);
    const held = post(place, `${transport}/receive`);
    const response = await held;
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect((await post(place, `${transport}/close`)).status).toBe(202);
    expect(place.router.connectionCount).toBe(0);
  });

  it('who does not come back is dropped', async () => {
    const place = await start({ longPoll: { idleMs: 60 } });
    const transport = await open(place);
    await post(place, `${transport}/send`, HELLO);
    expect(place.router.connectionCount).toBe(1);
    await expect.poll(() => place.router.connectionCount).toBe(0);
  });
});
