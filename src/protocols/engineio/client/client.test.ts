import { describe, expect, it } from 'vitest';

import { errorOf, makeClient, OPEN, serveEcho, serveScript } from '../../../../test/net/engine-client.js';
import { AsyncClient, reason } from './index.node.js';

describe('connect', () => {
  it('takes host and query of the address, adds its own, and stamps GETs', async () => {
    const { url, seen } = await serveScript(({ method }, count) =>
      count === 1 ? { body: OPEN() } : method === 'GET' ? 'hang' : {},
    );
    const client = makeClient();
    await client.connect(`${url}/ignored/path?room=7&x=%20`, {
      engineioPath: '/my/eio/',
      transports: 'polling',
    });
    expect(seen[0]!.url).toMatch(/^\/my\/eio\/\?room=7&x=%20&transport=polling&EIO=4&t=\d+(\.\d+)?$/);
    await client.send('x');
    await expect.poll(() => seen.find(({ method }) => method === 'POST')?.url).toMatch(/&sid=s1$/);
    const plain = makeClient({ timestampRequests: false });
    const other = await serveScript((__, count) => (count === 1 ? { body: OPEN() } : 'hang'));
    await plain.connect(other.url);
    expect(other.seen[0]!.url).toBe('/engine.io/?transport=polling&EIO=4');
  });

  it('sends the caller’s headers with every request of the session, and leaves the caller’s objects alone', async () => {
    const { url, seen } = await serveScript(({ method }, count) => {
      if (count === 1)
        return { body: OPEN({ upgrades: ['websocket'] }), headers: { 'set-cookie': 'io=abc; Path=/' } };
      return method === 'GET' ? 'hang' : { body: 'ok' };
    });
    const headers = Object.freeze({ authorization: 'Bearer t', Cookie: 'own=1' });
    const websocketExtraOptions = Object.freeze({ headers: Object.freeze({ 'x-extra': 'yes' }) });
    const client = makeClient({ requestTimeoutMs: 300, websocketExtraOptions });
    client.on('connect', () => client.send('x'));
    await client.connect(url, { headers });
    await expect
      .poll(() => new Set(seen.map(({ method }) => method)))
      .toEqual(new Set(['GET', 'POST', 'UPGRADE']));
    for (const { headers: got } of seen) expect(got.authorization).toBe('Bearer t');
    for (const { headers: got } of seen.slice(1)) expect(got.cookie).toBe('own=1; io=abc');
    expect(seen.find(({ method }) => method === 'UPGRADE')!.headers['x-extra']).toBe('yes');
  });

  it('throws ConnectionError with the server’s reason when it refuses', async () => {
    const { url } = await serveScript(() => ({ status: 403, body: '{"code":4,"message":"no"}' }));
    const error = await errorOf(makeClient().connect(url));
    expect(error.message).toBe('Unexpected status code 403 in server response');
    expect(error.body).toEqual({ code: 4, message: 'no' });
    const plain = await serveScript(() => ({ status: 404, body: 'nothing' }));
    expect((await errorOf(makeClient().connect(plain.url))).body).toBeUndefined();
  });

  it.each([
    ['garbage', 'Unexpected response from server'],
    ['4hello', 'OPEN packet not returned by server'],
    ['0nonsense', 'Unexpected response from server'],
  ])('throws ConnectionError for the handshake %j', async (body, message) => {
    const { url } = await serveScript(() => ({ body }));
    expect((await errorOf(makeClient().connect(url))).message).toBe(message);
  });

  it.each(['polling', 'websocket'])(
    'gives up on a handshake over %s that takes too long',
    async (transport) => {
      const { url } = await serveScript(() => 'hang');
      const client = makeClient({ requestTimeoutMs: 100 });
      await errorOf(client.connect(url, { transports: [transport] }));
      expect(client.state).toBe('disconnected');
      await client.wait();
    },
  );

  it('cannot be reached: ConnectionError over both transports', async () => {
    await errorOf(makeClient().connect('http://127.0.0.1:9', { transports: ['polling'] }));
    await errorOf(makeClient().connect('ws://127.0.0.1:9', { transports: ['websocket'] }));
  });

  it('refuses what is no address, no transport, or a second call', async () => {
    const { url } = await serveEcho();
    const client = makeClient();
    await expect(client.connect('ftp://x')).rejects.toThrow(TypeError);
    await expect(client.connect(url, { transports: ['pigeon'] })).rejects.toThrow('no valid transport');
    await client.connect(url, { transports: ['pigeon', 'polling'] });
    await expect(client.connect(url)).rejects.toThrow('not in a disconnected state');
    expect(client.state).toBe('connected');
  });

  it('goes on polling when the upgrade’s handshake hangs', async () => {
    const { url, seen } = await serveScript(({ method }, count) => {
      if (count === 1) return { body: OPEN({ upgrades: ['websocket'] }) };
      return method === 'GET' ? 'hang' : { body: 'OK' };
    });
    const client = makeClient({ requestTimeoutMs: 100 });
    await client.connect(url);
    expect(client.transport()).toBe('polling');
    await client.send('still here');
    await expect.poll(() => seen.some(({ body }) => body === '4still here')).toBe(true);
  });

  it('processes what comes in the same payload as the handshake, behind connect', async () => {
    const { url } = await serveScript((_, count) =>
      count === 1 ? { body: `${OPEN()}\u001e4first` } : 'hang',
    );
    const trace: unknown[] = [];
    const client = makeClient();
    client.on('connect', () => void trace.push('connect'));
    client.on('message', (data) => void trace.push(data));
    await client.connect(url);
    expect(trace).toEqual(['connect', 'first']);
  });
});

describe('send', () => {
  it('puts at most 16 packets into a POST', async () => {
    const { url, seen } = await serveScript(({ method }, count) =>
      count === 1 ? { body: OPEN() } : method === 'GET' ? 'hang' : { body: 'OK' },
    );
    const client = makeClient();
    await client.connect(url, { transports: 'polling' });
    for (let i = 0; i < 40; i++) void client.send(`${i}`);
    await client.drain();
    const posts = seen
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => body.split('\u001e').length);
    expect(posts).toEqual([16, 16, 8]);
  });

  it('splits by maxPayload in UTF-8 octets, and refuses what is larger by itself', async () => {
    const { url, seen } = await serveScript(({ method }, count) =>
      count === 1 ? { body: OPEN({ maxPayload: 10 }) } : method === 'GET' ? 'hang' : { body: 'ok' },
    );
    const client = makeClient();
    await client.connect(url, { transports: 'polling' });
    for (const text of ['€€€', 'a', '123456789']) void client.send(text);
    await client.drain();
    expect(seen.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([
      '4€€€',
      '4a',
      '4123456789',
    ]);
    await expect(client.send('1234567890')).rejects.toMatchObject({
      name: 'ContentTooLongError',
      bytes: 11,
      bytesMax: 10,
    });
    await expect(client.send(new Uint8Array(9))).rejects.toMatchObject({ bytes: 13 });
  });

  it('refuses text that polling cannot carry, which WebSocket can', async () => {
    const { url, received } = await serveEcho();
    const client = makeClient();
    await client.connect(url, { transports: 'polling' });
    await expect(client.send('a\u001eb')).rejects.toMatchObject({ code: 'SEPARATOR_IN_TEXT' });
    const other = makeClient();
    await other.connect(url, { transports: 'websocket' });
    await other.send('a\u001eb');
    await expect.poll(() => received).toEqual(['a\u001eb']);
  });

  it('without a connection is an error for Client and nothing for AsyncClient', async () => {
    await expect(makeClient().send('x')).rejects.toMatchObject({ name: 'SocketIsClosedError' });
    await expect(new AsyncClient().send('x')).resolves.toBeUndefined();
  });

  it('takes arrays, objects, buffers and views', async () => {
    const { url, received } = await serveEcho();
    const client = makeClient();
    await client.connect(url);
    await client.send([1, 'a']);
    await client.send({ a: null });
    await client.send(new Uint16Array([1, 2]).buffer);
    await client.send(new DataView(Uint8Array.of(9, 8, 7).buffer, 1));
    await expect
      .poll(() => received)
      .toEqual(['[1,"a"]', '{"a":null}', Buffer.of(1, 0, 2, 0), Buffer.of(8, 7)]);
  });
});

describe('the end', () => {
  it.each(['polling', 'websocket'])('flushes what was queued over %s, unless aborted', async (transport) => {
    const { url, received } = await serveEcho();
    const client = makeClient();
    await client.connect(url, { transports: transport });
    for (let i = 0; i < 40; i++) void client.send(`${i}`);
    await client.disconnect();
    await expect.poll(() => received.length).toBe(40);
    const other = makeClient();
    await other.connect(url, { transports: 'polling' });
    void other.send('lost');
    await other.disconnect({ abort: true });
    expect(other.state).toBe('disconnected');
    expect(received).not.toContain('lost');
  });

  it('says the reason that disconnect was given', async () => {
    const { url } = await serveEcho();
    const client = makeClient();
    const reasons: string[] = [];
    client.on('disconnect', (why) => void reasons.push(why));
    await client.connect(url);
    await client.disconnect({ reason: 'lunch' });
    await client.connect(url);
    await client.disconnect(true, 'positional');
    await client.connect(url);
    await client.disconnect();
    expect(reasons).toEqual(['lunch', 'positional', reason.CLIENT_DISCONNECT]);
  });

  it('during connect makes connect fail, and no event', async () => {
    const { url } = await serveScript(() => 'hang');
    const client = makeClient();
    const trace: string[] = [];
    client.on('disconnect', () => void trace.push('disconnect'));
    const failed = errorOf(client.connect(url));
    await client.disconnect();
    await failed;
    expect(trace).toEqual([]);
  });

  it('comes when the server is not heard for too long', async () => {
    const { url } = await serveScript((_, count) =>
      count === 1 ? { body: OPEN({ pingInterval: 100, pingTimeout: 100 }) } : 'hang',
    );
    const client = makeClient();
    const reasons: string[] = [];
    client.on('disconnect', (why) => void reasons.push(why));
    await client.connect(url);
    await client.wait();
    expect(reasons).toEqual([reason.TRANSPORT_ERROR]);
  });

  it('lets the disconnect handler connect again', async () => {
    const { url, engine } = await serveEcho();
    const client = makeClient();
    let again: Promise<void> | undefined;
    client.on('disconnect', () => void (again ??= client.connect(url)));
    await client.connect(url);
    for (const session of engine.sessions.values()) session.close();
    await client.wait();
    await again;
    expect(client.state).toBe('connected');
  });
});

describe('on', () => {
  it('is a call or a decorator, one handler per event, and knows three events', async () => {
    const { url } = await serveEcho();
    const client = makeClient();
    const got: unknown[] = [];
    client.on('message', () => void got.push('first'));
    const handler = client.on('message')((data: string) => void got.push(data));
    expect(handler).toBeTypeOf('function');
    expect(() => client.on('nonsense' as 'message')).toThrow('Invalid event');
    await client.connect(url);
    await client.send('second');
    await expect.poll(() => got).toEqual(['second']);
  });

  it('survives handlers that throw, and logs what they threw', async () => {
    const { url } = await serveEcho();
    const errors: string[] = [];
    const client = makeClient({ logger: { info() {}, error: (text) => void errors.push(text) } });
    let count = 0;
    client.on('connect', () => Promise.reject(new Error('no')));
    client.on('message', () => {
      count++;
      throw new Error('no');
    });
    await client.connect(url);
    await client.send('a');
    await client.send('b');
    await expect.poll(() => count).toBe(2);
    expect(errors).toEqual([
      'the handler of connect failed',
      'the handler of message failed',
      'the handler of message failed',
    ]);
  });
});
