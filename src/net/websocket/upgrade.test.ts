import { once } from 'node:events';
import tls from 'node:tls';

import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { ManualClock } from '../../base/clock.js';
import { clientFrame, RawClient, upgradeRequest } from '../../../test/net/raw-client.js';
import { selfSigned } from '../../../test/net/self-signed.js';
import { echo, serve } from '../../../test/net/serve.js';
import type { UpgradeDecision, UpgradeRequest } from './upgrade.js';

const accept: UpgradeDecision = { kind: 'accept', open: echo };

/** Sends the octets on a new connection and returns the whole answer. */
async function answerTo(port: number, request: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(request);
  await client.until(() => client.isEnded);
  return client.head + client.received.toString('latin1');
}

describe('the handshake', () => {
  const good = upgradeRequest('/');
  const cases: [name: string, request: string, status: number][] = [
    ['version 8', good.replace('Version: 13', 'Version: 8'), 426],
    ['no version', good.replace('Sec-WebSocket-Version: 13\r\n', ''), 426],
    ['no key', good.replace(/Sec-WebSocket-Key: .*\r\n/, ''), 400],
    ['a short key', good.replace(/Key: .*\r\n/, 'Key: abcd\r\n'), 400],
    ['two keys', good.replace(/(Sec-WebSocket-Key: .*\r\n)/, '$1$1'), 400],
    ['no Host', good.replace('Host: localhost\r\n', ''), 400],
    ['HTTP/1.0', good.replace('HTTP/1.1', 'HTTP/1.0'), 400],
    ['POST', good.replace('GET', 'POST'), 405],
    ['a bad subprotocol', upgradeRequest('/', ['Sec-WebSocket-Protocol: a b']), 400],
    ['a subprotocol twice', upgradeRequest('/', ['Sec-WebSocket-Protocol: a, a']), 400],
    ['a bad path', upgradeRequest('/%zz'), 400],
    ['a path that nobody serves', upgradeRequest('/nowhere'), 404],
  ];

  test.each(cases)('%s is refused', async (_name, request, status) => {
    const { listener, port } = await serve();
    listener.addUpgradeRoute({ pattern: '/', accept: () => accept });
    const answer = await answerTo(port, request);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status === 426) expect(answer).toContain('Sec-WebSocket-Version: 13\r\n');
  });

  test('the answer carries the key of RFC 6455 section 1.3 and no extension', async () => {
    const { listener, port } = await serve();
    listener.addUpgradeRoute({ pattern: '/', accept: () => accept });
    const client = await RawClient.open(port, '/', ['Sec-WebSocket-Extensions: permessage-deflate']);
    expect(client.head).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(client.head.toLowerCase()).not.toContain('extensions');
  });

  test('frames that come with the request are not lost, also when the decision takes its time', async () => {
    const { listener, port } = await serve();
    let decide: (decision: UpgradeDecision) => void = () => {};
    listener.addUpgradeRoute({ pattern: '/now', accept: () => accept });
    listener.addUpgradeRoute({
      pattern: '/later',
      accept: () => new Promise((resolve) => void (decide = resolve)),
    });
    for (const path of ['/now', '/later']) {
      const client = await RawClient.connect(port);
      const frame = clientFrame({ opcode: 1, payload: 'early bird' });
      client.send(upgradeRequest(path), frame, frame.subarray(0, 5));
      // A second connection's answer shows that the first request was read.
      (await RawClient.open(port, '/now')).destroy();
      decide(accept);
      client.send(frame.subarray(5));
      const frames = await client.nextFrames(2);
      expect(frames.map(({ payload }) => payload.toString())).toEqual(['early bird', 'early bird']);
    }
  });

  test('an upgrade to something else is answered as a plain request', async () => {
    const { listener, port } = await serve();
    listener.router.route('GET', '/', () => ({ status: 200, body: 'plain' }));
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
    expect(await answerTo(port, request)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*plain$/);
  });
});

describe('routes', () => {
  test('are asked in the order of addition until one does not pass', async () => {
    const { listener, port } = await serve();
    const asked: string[] = [];
    const route = (name: string, decision: UpgradeDecision | Promise<UpgradeDecision>) => ({
      pattern: '/:id',
      accept: (request: UpgradeRequest) => {
        asked.push(
          `${name} ${request.params['id']} ${request.query.get('q')} ${request.offeredProtocols.join()}`,
        );
        return decision;
      },
    });
    listener.addUpgradeRoute({ pattern: '/other/*path', accept: () => ({ kind: 'reject', status: 500 }) });
    listener.addUpgradeRoute(route('sync', { kind: 'pass' }));
    listener.addUpgradeRoute(route('async', Promise.resolve({ kind: 'pass' })));
    listener.addUpgradeRoute(route('last', { ...accept, protocol: 'b', headers: { 'X-Served-By': 'last' } }));
    const client = await RawClient.open(port, '/r%201?q=2', ['Sec-WebSocket-Protocol: a, b']);
    expect(asked).toEqual(['sync r 1 2 a,b', 'async r 1 2 a,b', 'last r 1 2 a,b']);
    expect(client.head).toContain('Sec-WebSocket-Protocol: b\r\n');
    expect(client.head).toContain('X-Served-By: last\r\n');
  });

  test('a rejection carries status, headers and body', async () => {
    const { listener, port } = await serve();
    listener.addUpgradeRoute({
      pattern: '/',
      accept: () => ({
        kind: 'reject',
        status: 401,
        headers: { 'WWW-Authenticate': 'Bearer' },
        body: 'who?',
      }),
    });
    expect(await answerTo(port, upgradeRequest('/'))).toMatch(
      /^HTTP\/1.1 401 Unauthorized\r\n[^]*WWW-Authenticate: Bearer\r\n\r\nwho\?$/,
    );
  });

  test.each<[string, () => UpgradeDecision | Promise<UpgradeDecision>]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'opens with an error',
      () => ({
        kind: 'accept',
        open(connection) {
          connection.sendText('never sent');
          throw new Error('broken');
        },
      }),
    ],
    ['chooses a protocol that was not offered', () => ({ ...accept, protocol: 'other' })],
    ['splits a header', () => ({ ...accept, headers: { 'X-A': 'b\r\nX-C: d' } })],
  ])('a route that %s is 500, and the operator hears of it', async (_name, decide) => {
    const { listener, port, errors } = await serve();
    listener.addUpgradeRoute({ pattern: '/', accept: decide });
    const answer = await answerTo(port, upgradeRequest('/'));
    expect(answer).toMatch(/^HTTP\/1.1 500 [^]*internal error$/);
    expect(answer).not.toContain('101');
    expect(errors).toHaveLength(1);
  });

  test('a decision that takes longer than 10 s is 503', async () => {
    const clock = new ManualClock();
    const { listener, port } = await serve({ clock });
    let isAsked = (): void => {};
    const asked = new Promise<void>((resolve) => void (isAsked = resolve));
    listener.addUpgradeRoute({
      pattern: '/',
      accept: () => {
        isAsked();
        return new Promise(() => {});
      },
    });
    const answer = answerTo(port, upgradeRequest('/'));
    await asked;
    clock.advance(10_100);
    expect(await answer).toMatch(/^HTTP\/1.1 503 /);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a client that leaves before the decision is forgotten', async () => {
    const clock = new ManualClock();
    const { listener, port, errors } = await serve({ clock });
    let decide: (decision: UpgradeDecision) => void = () => {};
    let isAsked = (): void => {};
    const asked = new Promise<void>((resolve) => void (isAsked = resolve));
    listener.addUpgradeRoute({
      pattern: '/',
      accept: () => {
        isAsked();
        return new Promise((resolve) => void (decide = resolve));
      },
    });
    const client = await RawClient.connect(port);
    client.send(upgradeRequest('/'));
    await asked;
    client.socket.resetAndDestroy();
    const closing = listener.close({ drainMs: 60_000 });
    await closing;
    decide(accept);
    expect([errors, listener.webSocketCount]).toEqual([[], 0]);
  });
});

describe('the port', () => {
  test('a peer that says nothing, or too little, is dropped', async () => {
    const clock = new ManualClock();
    const { listener, port } = await serve({ clock, limits: { headersMs: 300 } });
    listener.addRawProtocol(0x7f, (socket) => void socket.destroy());
    const silent = await RawClient.connect(port);
    // Node's own check of slow headers follows the real clock.
    const slow = await RawClient.connect(port);
    slow.send('GET / HTTP/1.1\r\nHost: a\r\n');
    await slow.until(() => slow.isEnded);
    expect(slow.head).toMatch(/^HTTP\/1.1 408 /);
    clock.advance(400);
    await silent.until(() => silent.isEnded || silent.isClosed);
  });

  test('connections above the limit are refused, those below go on', async () => {
    const { listener, port } = await serve({ limits: { connectionsMax: 2 } });
    listener.addUpgradeRoute({ pattern: '/', accept: () => accept });
    const first = await RawClient.open(port);
    const second = await RawClient.open(port);
    const third = await RawClient.connect(port);
    await third.until(() => third.isEnded || third.isClosed).catch(() => {});
    first.sendFrame({ opcode: 1, payload: 'hi' });
    await first.nextFrames(1);
    second.destroy();
  });

  test('TLS serves https, wss and raw protocols alike', async () => {
    const { listener, port, url } = await serve({ tls: selfSigned });
    expect(url).toBe(`https://127.0.0.1:${port}`);
    listener.addUpgradeRoute({ pattern: '/', accept: () => accept });
    listener.addRawProtocol(0x7f, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    const client = new WebSocket(`wss://127.0.0.1:${port}/`, { ca: selfSigned.cert });
    await once(client, 'open');
    client.send('over TLS');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toBe('over TLS');
    client.close();
    await once(client, 'close');
    const raw = await RawClient.over(
      tls.connect({ port, host: '127.0.0.1', ca: selfSigned.cert }),
      'secureConnect',
    );
    raw.send('\x7fraw');
    await raw.until(() => raw.received.length === 4);
    raw.destroy();
  });
});
