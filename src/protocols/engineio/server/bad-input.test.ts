import { once } from 'node:events';
import net from 'node:net';

import { describe, expect, it } from 'vitest';

import { RawClient } from '../../../../test/net/raw-client.js';
import { ask, openPolling, post, serveEngine } from '../../../../test/net/serve-engine.js';

describe('a POST', () => {
  it.each([
    ['an unknown type', 'abc'],
    ['an empty packet', '4a\u001e'],
    ['nothing', ''],
    ['bad base64', 'b@@@@'],
    ['invalid UTF-8', Uint8Array.of(0x34, 0xff, 0xfe)],
    ['a length of protocol 3', '9:4hell'],
  ])('of %s is 400 and ends its session only', async (_, body) => {
    const { url, ends, engine } = await serveEngine();
    const other = await openPolling(url);
    const sid = await openPolling(url);
    expect((await post(url, sid, body)).status).toBe(400);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatch(/^parse error/);
    expect([...engine.sessions.keys()]).toEqual([other]);
  });

  it('that is cut off in the middle ends the session', async () => {
    const { port, url, ends } = await serveEngine();
    const sid = await openPolling(url);
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      `POST /engine.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4a`,
    );
    await expect.poll(() => ask(url, `&sid=${sid}`, { method: 'PUT' }).then((r) => r.status)).toBe(400);
    socket.destroy();
    await expect.poll(() => ends).toEqual(['transport error: the client ended a POST']);
  });

  it('whose length lies about 10 GB is 413, costs nothing, and keeps the session', async () => {
    const { port, url, engine } = await serveEngine();
    const sid = await openPolling(url);
    const client = await RawClient.connect(port);
    client.send(
      `POST /engine.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n4a`,
    );
    await client.until(() => client.head !== '');
    expect(client.head).toMatch(/^HTTP\/1\.1 413 /);
    client.destroy();
    expect(engine.sessions.has(sid)).toBe(true);
  });

  it('during an upgrade is still read', async () => {
    const { url, port } = await serveEngine();
    const sid = await openPolling(url);
    const socket = await RawClient.open(port, `/engine.io/?EIO=4&transport=websocket&sid=${sid}`);
    socket.sendFrame({ opcode: 1, payload: '2probe' });
    await socket.nextFrames(1);
    expect((await post(url, sid, '4mid')).status).toBe(200);
    socket.sendFrame({ opcode: 1, payload: '5' });
    const [frame] = await socket.nextFrames(1);
    expect(frame!.payload.toString()).toBe('4mid');
  });
});

describe('a request', () => {
  it('with an Origin that cannot be echoed is 400', async () => {
    const { port } = await serveEngine({ cors: { origin: true } });
    const client = await RawClient.connect(port);
    client.send('GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: a\x01b\r\n\r\n');
    await client.until(() => client.head !== '');
    expect(client.head).toMatch(/^HTTP\/1\.1 400 /);
    expect(client.head.includes('a\u0001b')).toBe(false);
  });

  it('for protocol 3 or JSONP is refused unless that is on', async () => {
    const { url } = await serveEngine();
    const old = await fetch(`${url}/engine.io/?EIO=3&transport=polling`);
    expect([old.status, await old.json()]).toEqual([
      400,
      { code: 5, message: 'Unsupported protocol version' },
    ]);
    expect(await (await ask(url, '&j=0')).json()).toMatchObject({ code: 3 });
  });

  it('for JSONP is answered with a script that is safe, its index digits only', async () => {
    const { url } = await serveEngine({ jsonp: true, initialPacket: '</script>\u2028"' });
    const response = await ask(url, '&j=1;alert(1)');
    const script = await response.text();
    expect(script).toMatch(/^___eio\[11\]\("0\{/);
    expect(script).toContain('\\u003c/script>\\u2028\\"');
    const sid = /sid\\":\\"([^\\]+)/.exec(script)![1]!;
    const posted = await ask(url, `&j=2&sid=${sid}`, {
      method: 'POST',
      body: new URLSearchParams({ d: '4a\\nb\\\\nc' }),
    });
    expect(await posted.text()).toBe('ok');
    expect(await (await ask(url, `&j=3&sid=${sid}`)).text()).toBe('___eio[3]("4a\\nb\\\\nc");');
  });

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('of the session %s is refused', async (sid) => {
    const { url } = await serveEngine();
    for (const method of ['GET', 'POST']) {
      const response = await ask(url, `&sid=${sid}`, { method });
      expect([response.status, await response.json()]).toEqual([
        400,
        { code: 1, message: 'Session ID unknown' },
      ]);
    }
  });

  it('for options makes no session, with CORS and without', async () => {
    for (const [options, status] of [
      [{}, 400],
      [{ cors: true }, 204],
    ] as const) {
      const { url, engine } = await serveEngine(options);
      expect((await ask(url, '', { method: 'OPTIONS' })).status).toBe(status);
      expect(engine.sessions.size).toBe(0);
    }
  });

  it('beyond sessionsMax is 503', async () => {
    const { url } = await serveEngine({ sessionsMax: 2 });
    await openPolling(url);
    await openPolling(url);
    expect((await ask(url, '')).status).toBe(503);
  });
});

describe('a client that does not fetch', () => {
  it('may have queueBytesMax waiting, and one byte more ends it', async () => {
    const { url, engine, ends } = await serveEngine({ queueBytesMax: 1000 });
    const sid = await openPolling(url);
    const session = engine.sessions.get(sid)!;
    session.send('x'.repeat(999));
    expect(session.state).toBe('open');
    session.send('');
    expect(ends).toEqual(['transport error: the client does not fetch what it is sent']);
  });

  it('of Python gets 16 packets a poll, others get all', async () => {
    const { url, engine } = await serveEngine();
    for (const [agent, expected] of [
      ['Python/3.11 aiohttp/3.8.4', [16, 16, 11]],
      ['python-requests/2.31', [16, 16, 11]],
      ['Mozilla/5.0', [43]],
    ] as const) {
      const sid = await openPolling(url, { 'user-agent': agent });
      for (let i = 0; i < 43; i++) engine.sessions.get(sid)!.send(`${i}`);
      const counts: number[] = [];
      for (const _ of expected)
        counts.push((await (await ask(url, `&sid=${sid}`)).text()).split('\u001e').length);
      expect(counts).toEqual(expected);
    }
  });

  it('cannot be sent text with the separator', async () => {
    const { url, engine } = await serveEngine();
    const sid = await openPolling(url);
    expect(() => engine.sessions.get(sid)!.send('a\u001eb')).toThrow(/U\+001E/);
  });
});

describe('over WebSocket', () => {
  it.each([
    ['an unknown type', 'x', 'parse error'],
    ['an empty packet', '', 'parse error'],
    ['bad base64', 'b@@@@', 'parse error'],
    ['a ping', '2', 'transport error: invalid heartbeat direction'],
    ['a goodbye', '1', 'transport close'],
  ])('%s closes at once', async (_, payload, reason) => {
    const { port, ends } = await serveEngine();
    const socket = await RawClient.open(port, '/engine.io/?EIO=4&transport=websocket');
    socket.sendFrame({ opcode: 1, payload });
    await socket.until(() => socket.frames.some(({ opcode }) => opcode === 8));
    expect(ends).toHaveLength(1);
    expect(ends[0]!.startsWith(reason)).toBe(true);
  });

  it('text that is no UTF-8 closes with 1007', async () => {
    const { port, ends } = await serveEngine();
    const socket = await RawClient.open(port, '/engine.io/?EIO=4&transport=websocket');
    socket.sendFrame({ opcode: 1, payload: Uint8Array.of(0x34, 0xff) });
    expect(await socket.closeCode()).toBe(1007);
    await expect.poll(() => ends[0]).toMatch(/^transport error/);
  });

  it.each([
    [1000, undefined],
    [1001, 1009],
  ])('a frame of %i octets where 1000 are allowed ends with %s', async (bytes, code) => {
    const { port, ends } = await serveEngine({ maxPayloadBytes: 1000 });
    const socket = await RawClient.open(port, '/engine.io/?EIO=4&transport=websocket');
    await socket.nextFrames(1);
    socket.sendFrame({ opcode: 1, payload: `4${'x'.repeat(bytes - 1)}` });
    if (code === undefined) expect((await socket.nextFrames(1))[0]!.payload).toHaveLength(bytes);
    else expect(await socket.closeCode()).toBe(code);
    await expect.poll(() => ends).toHaveLength(code === undefined ? 0 : 1);
  });

  it('a handshake with the sid or transport __proto__ is refused', async () => {
    const { port } = await serveEngine();
    for (const query of [
      'transport=__proto__',
      'transport=websocket&sid=__proto__',
      'transport=websocket&sid=constructor',
    ]) {
      await expect(RawClient.open(port, `/engine.io/?EIO=4&${query}`)).rejects.toThrow('400');
    }
  });
});
