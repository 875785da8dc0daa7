import { once } from 'node:events';
import http from 'node:http';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

/*
 * What any Engine.IO server must do, seen from outside. The server under test echoes every message and runs with a ping interval of
 * 300 ms, a ping timeout of 200 ms, 1 000 000 bytes of maxPayload, and protocol 3 allowed.
 */

export interface EngineServerUnderTest {
  /** `http://127.0.0.1:1234`. */
  readonly url: string;
  close(): Promise<void>;
}

export interface EngineSuite {
  readonly name: string;
  start(): Promise<EngineServerUnderTest>;
  /** Tests that this server is known to fail, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

const PING_INTERVAL_MS = 300;
const SEPARATOR = '\u001e';

/** A WebSocket whose messages are read one by one. */
class Line {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly #messages: (string | Buffer)[] = [];
  #wake: (() => void) | undefined;
  isClosed = false;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('error', () => {});
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#messages.push(isBinary ? data : data.toString());
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code: number) => {
        this.isClosed = true;
        this.#wake?.();
        resolve(code);
      });
    });
  }

  async next(): Promise<string | Buffer> {
    while (this.#messages.length === 0) {
      if (this.isClosed) throw new Error('the WebSocket closed');
      await new Promise<void>((resolve) => void (this.#wake = resolve));
    }
    return this.#messages.shift()!;
  }

  /** The next message that is no ping. */
  async nextData(): Promise<string | Buffer> {
    for (;;) {
      const message = await this.next();
      if (message !== '2') return message;
      this.socket.send('3');
    }
  }

  send(data: string | Uint8Array): void {
    this.socket.send(data);
  }
}

class Api {
  readonly url: string;
  readonly lines: Line[] = [];

  constructor(url: string) {
    this.url = `${url}/engine.io/`;
  }

  address(query: Record<string, string>): string {
    return `${this.url}?${new URLSearchParams(query).toString()}`;
  }

  get(query: Record<string, string>, init: RequestInit = {}): Promise<Response> {
    return fetch(this.address(query), init);
  }

  poll(sid: string, eio = '4', init: RequestInit = {}): Promise<Response> {
    return this.get({ EIO: eio, transport: 'polling', sid }, init);
  }

  async pollText(sid: string, eio = '4'): Promise<string> {
    return (await this.poll(sid, eio)).text();
  }

  /** The next poll that holds more than a ping; pings are answered. */
  async pollData(sid: string): Promise<string> {
    for (;;) {
      const text = await this.pollText(sid);
      if (text !== '2') return text;
      await this.post(sid, '3');
    }
  }

  post(
    sid: string,
    body: string | Uint8Array<ArrayBuffer>,
    eio = '4',
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.get({ EIO: eio, transport: 'polling', sid }, { method: 'POST', body, headers });
  }

  async open(eio = '4', more: Record<string, string> = {}): Promise<string> {
    const response = await this.get({ EIO: eio, transport: 'polling', ...more });
    const text = await response.text();
    return (JSON.parse(text.slice(text.indexOf('{'))) as { sid: string }).sid;
  }

  line(query: Record<string, string>): Line {
    const line = new Line(this.address(query).replace('http', 'ws'));
    this.lines.push(line);
    return line;
  }

  /** A session over WebSocket, its open packet read. */
  async openLine(eio = '4'): Promise<Line> {
    const line = this.line({ EIO: eio, transport: 'websocket' });
    await line.next();
    return line;
  }

  /** A WebSocket beside a polling session that has been probed. */
  async probe(sid: string, eio = '4'): Promise<Line> {
    const line = this.line({ EIO: eio, transport: 'websocket', sid });
    await once(line.socket, 'open');
    line.send('2probe');
    expect(await line.next()).toBe('3probe');
    return line;
  }

  async upgrade(eio = '4'): Promise<{ sid: string; line: Line }> {
    const sid = await this.open(eio);
    const polled = this.pollText(sid, eio);
    const line = await this.probe(sid, eio);
    expect(await polled).toBe(eio === '4' ? '6' : '1:6');
    line.send('5');
    return { sid, line };
  }

  closeAll(): void {
    for (const line of this.lines.splice(0)) line.socket.terminate();
  }
}

/** Runs the whole suite against a server. */
export function runEngineSuite(suite: EngineSuite): void {
  describe(suite.name, () => {
    let server: EngineServerUnderTest;
    let api: Api;
    beforeAll(async () => {
      server = await suite.start();
      api = new Api(server.url);
    });
    afterAll(async () => {
      api.closeAll();
      await server.close();
    });
    const skipped = new Map(suite.skip?.flatMap(({ reason, tests }) => tests.map((test) => [test, reason])));
    const test = (name: string, run: (api: Api) => Promise<void>): void => {
      const reason = skipped.get(name);
      if (reason === undefined) it(name, () => run(api));
      else it.skip(`${name} (${reason})`, () => {});
    };
    describe('handshake', () => handshakeTests(test));
    describe('polling', () => pollingTests(test));
    describe('websocket', () => webSocketTests(test));
    describe('heartbeat', () => heartbeatTests(test));
    describe('close', () => closeTests(test));
    describe('upgrade', () => upgradeTests(test));
    describe('protocol 3', () => protocol3Tests(test));
  });
}

type Test = (name: string, run: (api: Api) => Promise<void>) => void;

const HANDSHAKE = {
  sid: expect.any(String) as unknown,
  pingInterval: PING_INTERVAL_MS,
  pingTimeout: 200,
  maxPayload: 1_000_000,
};

function handshakeTests(test: Test): void {
  test('over polling announces the session and the upgrade', async (api) => {
    const response = await api.get({ EIO: '4', transport: 'polling' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; charset=utf-8$/i);
    const text = await response.text();
    expect(text[0]).toBe('0');
    expect(JSON.parse(text.slice(1))).toEqual({ ...HANDSHAKE, upgrades: ['websocket'] });
  });

  test('over WebSocket announces the session and no upgrade', async (api) => {
    const line = api.line({ EIO: '4', transport: 'websocket' });
    const text = String(await line.next());
    expect(text[0]).toBe('0');
    expect(JSON.parse(text.slice(1))).toEqual({ ...HANDSHAKE, upgrades: [] });
  });

  const refusals: [string, Record<string, string>, number][] = [
    ['without a transport is refused with code 0', { EIO: '4' }, 0],
    ['with an unknown transport is refused with code 0', { EIO: '4', transport: 'pigeon' }, 0],
    ['with the transport __proto__ is refused with code 0', { EIO: '4', transport: '__proto__' }, 0],
    ['with the transport constructor is refused with code 0', { EIO: '4', transport: 'constructor' }, 0],
    ['with an unknown session is refused with code 1', { EIO: '4', transport: 'polling', sid: 'nobody' }, 1],
    [
      'with the session __proto__ is refused with code 1',
      { EIO: '4', transport: 'polling', sid: '__proto__' },
      1,
    ],
    ['for WebSocket over plain HTTP is refused with code 3', { EIO: '4', transport: 'websocket' }, 3],
    ['of an unknown protocol version is refused', { EIO: 'abc', transport: 'polling', skip: '5' }, 5],
  ];
  for (const [name, query, code] of refusals) {
    test(name, async (api) => {
      const response = await api.get(query);
      // A server that takes every strange version for protocol 3 has let us in.
      if (code === 5 && response.status === 200) return;
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code, message: expect.any(String) as unknown });
    });
  }

  for (const method of ['POST', 'PUT', 'DELETE']) {
    test(`with method ${method} is refused with code 2`, async (api) => {
      const response = await api.get({ EIO: '4', transport: 'polling' }, { method });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 2 });
    });
  }

  test('over WebSocket without or with an unknown transport, session is refused', async (api) => {
    for (const query of [
      { EIO: '4' },
      { EIO: '4', transport: 'abc' },
      { EIO: '4', transport: 'websocket', sid: 'x' },
    ]) {
      const line = api.line(query as Record<string, string>);
      await line.closed;
      expect(line.socket.protocol).toBe('');
    }
  });

  test('gives every session an id of its own', async (api) => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => api.open()));
    expect(new Set(ids).size).toBe(20);
  });
}

function pollingTests(test: Test): void {
  test('carries text both ways and answers a POST with ok', async (api) => {
    const sid = await api.open();
    const posted = await api.post(sid, '4hello €');
    expect(posted.status).toBe(200);
    expect(await posted.text()).toBe('ok');
    const polled = await api.poll(sid);
    expect(polled.headers.get('content-type')).toMatch(/^text\/plain; charset=utf-8$/i);
    expect(await polled.text()).toBe('4hello €');
  });

  test('carries several packets in one payload, in order', async (api) => {
    const sid = await api.open();
    await api.post(sid, ['4a', '4b', '4', '4d'].join(SEPARATOR));
    expect(await api.pollText(sid)).toBe(['4a', '4b', '4', '4d'].join(SEPARATOR));
  });

  test('carries octets as base64', async (api) => {
    const sid = await api.open();
    await api.post(sid, `4text${SEPARATOR}bAQIDBA==`);
    expect(await api.pollText(sid)).toBe(`4text${SEPARATOR}bAQIDBA==`);
  });

  test('lets a GET wait until there is something to say', async (api) => {
    const sid = await api.open();
    const polled = api.pollText(sid);
    await api.post(sid, '4later');
    expect(await polled).toBe('4later');
  });

  test('ends the session for a payload that is none', async (api) => {
    const sid = await api.open();
    await api.post(sid, 'abc').catch(() => undefined);
    expect((await api.poll(sid)).status).toBe(400);
  });

  test('ends the session when a second GET comes while one waits', async (api) => {
    const sid = await api.open();
    const first = api.poll(sid);
    const second = api.poll(sid);
    const answers = await Promise.all([first, second]);
    const refused = answers.filter(({ status }) => status === 400);
    const closed = answers.filter(({ status }) => status === 200);
    expect([refused.length, closed.length]).toEqual([1, 1]);
    expect(await closed[0]!.text()).toBe('1');
    expect((await api.poll(sid)).status).toBe(400);
  });

  test('ends the session when a second POST comes while one is read', async (api) => {
    const sid = await api.open();
    const slow = http.request(api.address({ EIO: '4', transport: 'polling', sid }), {
      method: 'POST',
      headers: { 'content-length': '6' },
    });
    slow.on('error', () => {});
    slow.write('4ab');
    await once(slow, 'socket');
    await expect
      .poll(async () => (await api.post(sid, '4x').catch(() => undefined))?.status ?? 400)
      .toBe(400);
    slow.destroy();
    expect((await api.poll(sid)).status).toBe(400);
  });

  test('ends the session when the client cancels a GET', async (api) => {
    const sid = await api.open();
    const abort = new AbortController();
    const polled = api.poll(sid, '4', { signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(polled).rejects.toThrow();
    await expect
      .poll(
        async () =>
          (await api.poll(sid, '4', { signal: AbortSignal.timeout(20) }).catch(() => undefined))?.status,
      )
      .toBe(400);
  });

  test('answers a POST that is too large with 413 and keeps the session', async (api) => {
    const sid = await api.open();
    const largest = await api.post(sid, `4${'x'.repeat(999_999)}`);
    expect(largest.status).toBe(200);
    const tooLarge = await api.post(sid, `4${'x'.repeat(1_000_000)}`).catch(() => undefined);
    if (tooLarge !== undefined) expect(tooLarge.status).toBe(413);
    expect((await api.pollText(sid)).length).toBe(1_000_000);
  });

  test('refuses octets in a POST of protocol 4', async (api) => {
    const sid = await api.open();
    const type = { 'content-type': 'application/octet-stream' };
    const response = await api.post(sid, Uint8Array.of(4, 1, 2), '4', type).catch(() => undefined);
    if (response !== undefined) expect(response.status).toBe(400);
    expect((await api.poll(sid)).status).toBe(400);
  });
}

function webSocketTests(test: Test): void {
  test('carries text both ways', async (api) => {
    const line = await api.openLine();
    line.send('4hello €');
    expect(await line.nextData()).toBe('4hello €');
  });

  test('carries octets as binary frames', async (api) => {
    const line = await api.openLine();
    line.send(Uint8Array.of(1, 2, 3, 4));
    expect(await line.nextData()).toEqual(Buffer.of(1, 2, 3, 4));
  });

  test('keeps the order of what is sent at once', async (api) => {
    const line = await api.openLine();
    for (let i = 0; i < 200; i++) line.send(`4${i}`);
    for (let i = 0; i < 200; i++) expect(await line.nextData()).toBe(`4${i}`);
  });

  for (const [name, bad] of [
    ['a packet of an unknown type', 'abc'],
    ['an empty packet', ''],
    ['a ping of the client', '2'],
  ] as const) {
    test(`is closed for ${name}`, async (api) => {
      const line = await api.openLine();
      line.send(bad);
      await line.closed;
    });
  }

  test('is closed with 1009 for a frame that is too large', async (api) => {
    const line = await api.openLine();
    line.send(`4${'x'.repeat(1_000_000)}`);
    expect(await line.closed).toBe(1009);
  });
}

function heartbeatTests(test: Test): void {
  test('pings over polling as often as was announced', async (api) => {
    const sid = await api.open();
    for (let i = 0; i < 3; i++) {
      expect(await api.pollText(sid)).toBe('2');
      expect((await api.post(sid, '3')).status).toBe(200);
    }
  });

  test('pings over WebSocket as often as was announced', async (api) => {
    const line = await api.openLine();
    for (let i = 0; i < 3; i++) {
      expect(await line.next()).toBe('2');
      line.send('3');
    }
    expect(line.isClosed).toBe(false);
  });

  test('ends a polling session whose client does not answer', async (api) => {
    const sid = await api.open();
    expect(await api.pollText(sid)).toBe('2');
    await api.poll(sid);
    expect((await api.poll(sid)).status).toBe(400);
  });

  test('ends a WebSocket session whose client does not answer', async (api) => {
    const line = await api.openLine();
    const startMs = performance.now();
    await line.closed;
    expect(performance.now() - startMs).toBeGreaterThan(PING_INTERVAL_MS);
  });
}

function closeTests(test: Test): void {
  test('over polling releases the GET that waits and forgets the session', async (api) => {
    const sid = await api.open();
    const [polled, posted] = await Promise.all([api.poll(sid), api.post(sid, '1')]);
    expect(await posted.text()).toBe('ok');
    expect(await polled.text()).toBe('6');
    expect((await api.poll(sid)).status).toBe(400);
  });

  test('over WebSocket is heard when the socket closes', async (api) => {
    const line = await api.openLine();
    line.send('1');
    await line.closed;
  });
}

function upgradeTests(test: Test): void {
  test('moves the session to WebSocket', async (api) => {
    const { line } = await api.upgrade();
    line.send('4hello');
    expect(await line.nextData()).toBe('4hello');
  });

  test('loses nothing that was sent before it', async (api) => {
    const sid = await api.open();
    const line = await api.probe(sid);
    await api.post(sid, `4one${SEPARATOR}4two`);
    const polled = await api.pollData(sid);
    line.send('5');
    line.send('4three');
    const rest: string[] = polled.split(SEPARATOR).filter((packet) => packet !== '6');
    while (rest.length < 3) rest.push(String(await line.nextData()));
    expect(rest).toEqual(['4one', '4two', '4three']);
  });

  test('refuses polling afterwards', async (api) => {
    const { sid, line } = await api.upgrade();
    line.send('4x');
    await line.nextData();
    expect((await api.poll(sid)).status).toBe(400);
    line.send('4still there');
    expect(await line.nextData()).toBe('4still there');
  });

  test('closes a second WebSocket of the session and keeps the first', async (api) => {
    const { sid, line } = await api.upgrade();
    line.send('4x');
    await line.nextData();
    const second = api.line({ EIO: '4', transport: 'websocket', sid });
    await second.closed;
    line.send('4still there');
    expect(await line.nextData()).toBe('4still there');
  });

  test('that is abandoned half-way leaves polling as it was', async (api) => {
    const sid = await api.open();
    const line = await api.probe(sid);
    line.socket.close();
    await line.closed;
    await api.post(sid, '4hello');
    const packets: string[] = [];
    while (!packets.includes('4hello')) packets.push(...(await api.pollData(sid)).split(SEPARATOR));
    expect(packets.filter((packet) => packet !== '6')).toEqual(['4hello']);
  });

  test('is not begun by anything but a probe', async (api) => {
    const sid = await api.open();
    const line = api.line({ EIO: '4', transport: 'websocket', sid });
    await once(line.socket, 'open');
    line.send('4hello');
    await line.closed;
    await api.post(sid, '4hello');
    expect(await api.pollData(sid)).toBe('4hello');
  });
}

function protocol3Tests(test: Test): void {
  test('opens with a length in front of the packet', async (api) => {
    const text = await (await api.get({ EIO: '3', transport: 'polling', b64: '1' })).text();
    const colon = text.indexOf(':');
    expect(Number(text.slice(0, colon))).toBe(text.length - colon - 1);
    expect(text[colon + 1]).toBe('0');
  });

  test('carries text over polling, counted in UTF-16 units', async (api) => {
    const sid = await api.open('3', { b64: '1' });
    expect(await (await api.post(sid, '6:4hello2:4€', '3')).text()).toBe('ok');
    expect(await api.pollText(sid, '3')).toBe('6:4hello2:4€');
  });

  test('carries octets over polling as base64', async (api) => {
    const sid = await api.open('3', { b64: '1' });
    await api.post(sid, '10:b4AQIDBA==', '3');
    const response = await api.get({ EIO: '3', transport: 'polling', sid, b64: '1' });
    expect(await response.text()).toBe('10:b4AQIDBA==');
  });

  test('carries octets over polling as octets', async (api) => {
    const sid = await api.open('3');
    const octets = Uint8Array.of(1, 5, 255, 4, 1, 2, 3, 4);
    await api.post(sid, octets, '3', { 'content-type': 'application/octet-stream' });
    const response = await api.poll(sid, '3');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(octets);
  });

  test('answers pings of the client, over both transports', async (api) => {
    const sid = await api.open('3', { b64: '1' });
    await api.post(sid, '1:2', '3');
    expect(await api.pollText(sid, '3')).toBe('1:3');
    const line = await api.openLine('3');
    line.send('2');
    expect(await line.next()).toBe('3');
  });

  test('puts a type in front of octets in WebSocket frames', async (api) => {
    const line = await api.openLine('3');
    line.send(Uint8Array.of(4, 1, 2));
    expect(await line.next()).toEqual(Buffer.of(4, 1, 2));
  });

  test('upgrades', async (api) => {
    const { line } = await api.upgrade('3');
    line.send('4hello');
    expect(await line.next()).toBe('4hello');
  });

  test('ends a session whose client does not ping', async (api) => {
    const line = await api.openLine('3');
    const startMs = performance.now();
    await line.closed;
    expect(performance.now() - startMs).toBeGreaterThan(PING_INTERVAL_MS + 100);
  });

  test('releases the GET that waits when the client closes', async (api) => {
    const sid = await api.open('3', { b64: '1' });
    const [polled] = await Promise.all([api.pollText(sid, '3'), api.post(sid, '1:1', '3')]);
    expect(polled).toBe('1:6');
  });
}
