import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../../base/clock.js';
import { systemRandom } from '../../../base/random.js';
import { KeyPair } from '../../../identity/keys.js';
import { TokenAuthority } from '../../../identity/tokens.js';
import { Listener } from '../../../net/listener.js';
import { FakeCatalog } from './testing/fake-catalog.js';
import { FakeRuntime } from './testing/fake-runtime.js';
import { decodeFrame } from './testing/memory-client.js';
import { subscribeRoute } from './websocket.js';

const authority = new TokenAuthority({
  keys: KeyPair.generate(),
  clock: systemClock,
  random: systemRandom,
});

let listener: Listener;
let database: FakeRuntime;

beforeEach(async () => {
  const catalog = new FakeCatalog();
  database = new FakeRuntime((flush) => queueMicrotask(flush));
  catalog.databases.push(database);
  listener = await Listener.listen({ port: 0 });
  listener.addUpgradeRoute(
    subscribeRoute({
      catalog,
      authority,
      random: systemRandom,
      onError: (error) => {
        throw error;
      },
    }),
  );
});

afterEach(() => listener.close({ drainMs: 0 }));

interface Shaken {
  readonly status: number;
  readonly body: string;
  readonly protocol: string;
  readonly headers: IncomingMessage['headers'];
  readonly socket: WebSocket;
  /** The first message: it may come together with the answer to the handshake. */
  readonly first: Promise<Buffer>;
}

const V3 = 'v3.bsatn.spacetimedb';
const V2 = 'v2.bsatn.spacetimedb';

function shake(
  path: string,
  protocols: readonly string[] = [V3, V2],
  headers: Record<string, string> = {},
): Promise<Shaken> {
  const url = `${listener.url.replace('http', 'ws')}/v1/database/${path}`;
  const socket = new WebSocket(url, [...protocols], { headers });
  const first = new Promise<Buffer>((resolve) => socket.once('message', (data: Buffer) => resolve(data)));
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    socket.on('upgrade', (response) => (answer = response));
    socket.on('open', () =>
      resolve({ status: 101, body: '', protocol: socket.protocol, headers: answer!.headers, socket, first }),
    );
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          protocol: '',
          headers: response.headers,
          socket,
          first,
        }),
      );
    });
  });
}

describe('the handshake', () => {
  test.each([
    [[V2, V3], V3],
    [['v1.bsatn.spacetimedb', V2], V2],
    [[V3], V3],
  ])('of %j the newest protocol is chosen', async (offered, chosen) => {
    expect((await shake('fake/subscribe', offered)).protocol).toBe(chosen);
  });

  test.each([[[]], [['v0.text.spacetimedb']]])('%j offers nothing that we speak: 400', async (offered) => {
    const { status, body } = await shake('fake/subscribe', offered);
    expect(status).toBe(400);
    expect(body).toMatch(/^no valid protocol selected/);
  });

  test('an unknown database is 404, a name that cannot be 400', async () => {
    expect(await shake('nowhere/subscribe')).toMatchObject({ status: 404, body: '`nowhere` not found' });
    expect(await shake('No_Name/subscribe')).toMatchObject({ status: 400 });
  });

  test('a bad token is told, a malformed header too', async () => {
    const { token } = await authority.mintAnonymous();
    const forged = `${token.slice(0, -10)}AAAAAAAAAA`;
    expect((await shake(`fake/subscribe?token=${forged}`)).status).toBe(401);
    const basic = await shake('fake/subscribe', [V3], { authorization: 'Basic eDp5' });
    expect(basic).toMatchObject({ status: 400, body: 'Authorization is invalid: malformed token' });
    expect(database.lifecycle).toEqual([]);
  });

  test('a token in the query or in the header says who connects', async () => {
    const known = await authority.mintAnonymous();
    const hex = known.identity.toHexString();
    expect((await shake(`fake/subscribe?token=${known.token}`)).headers['spacetime-identity']).toBe(hex);
    const bearer = await shake('fake/subscribe', [V2], { authorization: `Bearer ${known.token}` });
    expect(bearer.headers['spacetime-identity']).toBe(hex);
    expect(bearer.headers['spacetime-identity-token']).toBe(known.token);
  });

  test('an anonymous client is given the identity that the first message tells', async () => {
    const { first, headers } = await shake('fake/subscribe');
    const [hello] = decodeFrame(await first);
    expect(hello).toMatchObject({ kind: 'initialConnection', token: headers['spacetime-identity-token'] });
    expect(hello?.kind === 'initialConnection' && hello.identity.toHexString()).toBe(
      headers['spacetime-identity'],
    );
  });

  test('a connection id is taken over, all zeros and nonsense are not', async () => {
    const id = '0123456789abcdef0123456789abcdef';
    const { first } = await shake(`fake/subscribe?connection_id=${id}`);
    const [hello] = decodeFrame(await first);
    expect(hello?.kind === 'initialConnection' && hello.connectionId.toHexString()).toBe(id);
    const zeros = await shake(`fake/subscribe?connection_id=${'0'.repeat(32)}`);
    expect(zeros).toMatchObject({
      status: 400,
      body: 'Invalid connection ID: the all-zeros ConnectionId is reserved.',
    });
    expect((await shake('fake/subscribe?connection_id=12')).status).toBe(400);
  });

  test('compression is asked for and not used, unknown parameters are left alone', async () => {
    for (const compression of ['None', 'Gzip', 'Brotli']) {
      const { first } = await shake(`fake/subscribe?compression=${compression}&light=true&else=1`);
      expect((await first)[0]).toBe(0);
    }
    expect((await shake('fake/subscribe?compression=gzip')).status).toBe(400);
    expect((await shake('fake/subscribe?confirmed=yes')).status).toBe(400);
  });

  test('a client that goes away is disconnected once', async () => {
    const { socket, first } = await shake('fake/subscribe');
    await first;
    socket.terminate();
    await expect.poll(() => database.lifecycle.map((event) => event[0]).join('')).toBe('+-');
    expect(database.sessions.size).toBe(0);
  });
});
