import { request as httpRequest } from 'node:http';

import { describe, expect, it } from 'vitest';

import { RawClient } from '../../../../test/net/raw-client.js';
import { ask, openPolling, post, type ServedEngine, serveEngine } from '../../../../test/net/serve-engine.js';

const pathOf = (sid: string): string => `/engine.io/?EIO=4&transport=websocket&sid=${sid}`;

/** A polling session with a WebSocket beside it whose probe was answered. */
async function probe({ url, port }: ServedEngine): Promise<{ sid: string; socket: RawClient }> {
  const sid = await openPolling(url);
  const socket = await RawClient.open(port, pathOf(sid));
  socket.sendFrame({ opcode: 1, payload: '2probe' });
  expect(String((await socket.nextFrames(1))[0]!.payload)).toBe('3probe');
  return { sid, socket };
}

const isClosed = (socket: RawClient): boolean => socket.frames.some(({ opcode }) => opcode === 8);

describe('an upgrade', () => {
  it('answers the GET that waits at once, without waiting for a clock', async () => {
    const served = await serveEngine();
    const sid = await openPolling(served.url);
    const polling = await RawClient.connect(served.port);
    polling.send(`GET /engine.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\n\r\n`);
    // What was written before has arrived when this is answered.
    await ask(served.url, `&sid=${sid}`, { method: 'PUT' });
    expect(polling.head).toBe('');
    const socket = await RawClient.open(served.port, pathOf(sid));
    socket.sendFrame({ opcode: 1, payload: '2probe' });
    await polling.until(() => polling.received.length > 0);
    expect(String(polling.received)).toBe('6');
  });

  it('goes through while a poll response is being compressed, and nothing is lost', async () => {
    const served = await serveEngine({ compression: { thresholdBytes: 1000 } });
    const { sid, socket } = await probe(served);
    const session = served.engine.sessions.get(sid)!;
    const big = 'x'.repeat(500_000);
    session.send(big);
    const headers = { 'accept-encoding': 'gzip' };
    const polled = ask(served.url, `&sid=${sid}`, { headers });
    await expect.poll(() => session.queue.length).toBe(0);
    // The answer is with the compressor now.
    socket.sendFrame({ opcode: 1, payload: '5' });
    await expect.poll(() => session.transportName).toBe('websocket');
    session.send('behind');
    expect(String((await socket.nextFrames(1))[0]!.payload)).toBe('4behind');
    const response = await polled;
    expect([response.headers.get('content-encoding'), await response.text()]).toEqual(['gzip', `4${big}`]);
  });

  it('ends with the session when the server closes in the middle of it', async () => {
    const served = await serveEngine();
    const { sid, socket } = await probe(served);
    const session = served.engine.sessions.get(sid)!;
    session.send('last words');
    session.close();
    await socket.until(() => isClosed(socket));
    expect(await (await ask(served.url, `&sid=${sid}`)).text()).toBe('4last words\u001e1');
    expect(served.ends).toEqual(['forced close']);
  });

  it('ends with the session when the client says goodbye over polling in the middle of it', async () => {
    const served = await serveEngine();
    const { sid, socket } = await probe(served);
    expect((await post(served.url, sid, '1')).status).toBe(200);
    await socket.until(() => isClosed(socket));
    expect(served.ends).toEqual(['transport close: the client said goodbye']);
  });

  it('is tried once at a time: a second WebSocket is closed, the first goes on', async () => {
    const served = await serveEngine();
    const { sid, socket } = await probe(served);
    const second = await RawClient.open(served.port, pathOf(sid));
    await second.until(() => isClosed(second));
    socket.sendFrame({ opcode: 1, payload: '5' });
    socket.sendFrame({ opcode: 1, payload: '4hello' });
    expect(String((await socket.nextFrames(1))[0]!.payload)).toBe('4hello');
  });

  it.each(['5', '4hello', '2', '1', 'x'])(
    'that begins with %j is none, and polling goes on',
    async (payload) => {
      const served = await serveEngine();
      const sid = await openPolling(served.url);
      const socket = await RawClient.open(served.port, pathOf(sid));
      socket.sendFrame({ opcode: 1, payload });
      await socket.until(() => isClosed(socket));
      await post(served.url, sid, '4x');
      expect(await (await ask(served.url, `&sid=${sid}`)).text()).toBe('4x');
    },
  );
});

describe('the server that closes', () => {
  it('while a POST is under way still answers it, and delivers nothing of it', async () => {
    const received: unknown[] = [];
    const served = await serveEngine({}, () => ({ onMessage: (data) => void received.push(data) }));
    const { url, engine, ends, errors } = served;
    const sid = await openPolling(url);
    const session = engine.sessions.get(sid)!;
    const slow = httpRequest(`${url}/engine.io/?EIO=4&transport=polling&sid=${sid}`, {
      method: 'POST',
      headers: { 'content-length': '5' },
    });
    const answered = new Promise<number>((resolve) =>
      slow.on('response', (reply) => resolve(reply.statusCode!)),
    );
    slow.write('4l');
    // What was written before has arrived when this is answered.
    await ask(url, `&sid=${sid}`, { method: 'PUT' });
    session.close();
    slow.end('ate');
    expect(await answered).toBe(200);
    expect(await (await ask(url, `&sid=${sid}`)).text()).toBe('1');
    expect([received, ends, errors]).toEqual([[], ['forced close'], []]);
  });
});

describe('what is sent when a session opens', () => {
  it('comes behind the open packet, in order, over polling and after an upgrade', async () => {
    const served = await serveEngine({}, (session) => {
      session.send('one');
      session.send('two');
      return { onUpgrade: () => session.send('three') };
    });
    const open = await ask(served.url, '');
    const [first, ...rest] = (await open.text()).split('\u001e');
    expect([first![0], ...rest]).toEqual(['0', '4one', '4two']);
    const { sid } = JSON.parse(first!.slice(1)) as { sid: string };
    const socket = await RawClient.open(served.port, pathOf(sid));
    socket.sendFrame({ opcode: 1, payload: '2probe' });
    served.engine.sessions.get(sid)!.send('meanwhile');
    socket.sendFrame({ opcode: 1, payload: '5' });
    const frames = await socket.nextFrames(3);
    expect(frames.map(({ payload }) => String(payload))).toEqual(['3probe', '4meanwhile', '4three']);
  });

  it('comes behind the open packet, in order, over WebSocket', async () => {
    const served = await serveEngine({}, (session) => {
      session.send('one');
      session.send(Uint8Array.of(2));
      return {};
    });
    const socket = await RawClient.open(served.port, '/engine.io/?EIO=4&transport=websocket');
    const frames = await socket.nextFrames(3);
    expect(frames.map(({ payload }) => String(payload).slice(0, 4))).toEqual(['0{"s', '4one', '\u0002']);
  });
});
