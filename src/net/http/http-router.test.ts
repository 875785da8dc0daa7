import { describe, expect, test } from 'vitest';

import { RawClient } from '../../../test/net/raw-client.js';
import { serve } from '../../../test/net/serve.js';
import { corsAnyOrigin } from './cors.js';
import { HttpError } from './http-error.js';

const ok = { status: 200, body: 'ok' };

/** Sends a request as it stands and returns the whole answer. */
async function rawRequest(port: number, request: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(request);
  await client.until(() => client.isEnded);
  return client.head + client.received.toString('latin1');
}

describe('choosing a handler', () => {
  test('the most specific route answers, whatever the order of addition', async () => {
    const { listener, url } = await serve();
    const { router } = listener;
    router.route('GET', '/*path', () => ({ status: 200, body: 'tail' }));
    router.route('GET', '/v1/:name', () => ({ status: 200, body: 'param' }));
    router.route('GET', '/v1/ping', () => ({ status: 200, body: 'literal' }));
    const texts: string[] = [];
    for (const path of ['/v1/ping', '/v1/x', '/v1/x/y', '/'])
      texts.push(await (await fetch(url + path)).text());
    expect(texts).toEqual(['literal', 'param', 'tail', 'tail']);
    expect(() => router.route('GET', '/v1/ping', () => ok)).toThrow('routed already');
  });

  test('an unknown path is 404, or the fallback', async () => {
    const { listener, url } = await serve();
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    listener.router.fallback(({ path, method }) => ({ status: 200, body: `${method} ${path}` }));
    expect(await (await fetch(`${url}/nothing?q`, { method: 'PUT' })).text()).toBe('PUT /nothing');
  });

  test('another method is 405 with Allow', async () => {
    const { listener, url } = await serve();
    listener.router.route('GET', '/a', () => ok);
    listener.router.route('DELETE', '/a', () => ok);
    const response = await fetch(`${url}/a`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, OPTIONS']);
  });

  test('HEAD is GET without the body', async () => {
    const { listener, url } = await serve();
    listener.router.route('GET', '/a', () => ok);
    const response = await fetch(`${url}/a`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '2',
      '',
    ]);
  });

  test.each(['/%', '/a/../b', '/%00', '*'])('the target %s is 400', async (target) => {
    const { listener, port } = await serve();
    listener.router.fallback(() => ok);
    const answer = await rawRequest(port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['headers above 16 KiB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
  ])('%s is refused', async (_name, request, status) => {
    const { listener, port } = await serve();
    listener.router.fallback(() => ok);
    expect(await rawRequest(port, request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });
});

describe('requests and answers', () => {
  test('a handler sees method, parameters, query, headers and body', async () => {
    const { listener, url } = await serve();
    listener.router.route('POST', '/call/:name', async (request) => {
      const body = Buffer.from(await request.readBody()).toString();
      const { method, params, query, headers, remoteAddress } = request;
      const seen = [method, params['name'], query.get('q'), headers['x-test'], remoteAddress, body];
      return { status: 201, headers: { 'x-many': ['1', '2'] }, body: JSON.stringify(seen) };
    });
    const response = await fetch(`${url}/call/a%2Fb?q=%20`, {
      method: 'POST',
      headers: { 'x-test': 'yes' },
      body: 'the body',
    });
    expect([response.status, response.headers.get('x-many')]).toEqual([201, '1, 2']);
    expect(await response.json()).toEqual(['POST', 'a/b', ' ', 'yes', '127.0.0.1', 'the body']);
  });

  test('a body at the limit is read, one byte more is 413, with and without an announced length', async () => {
    const { listener, url } = await serve();
    const handler = async ({ readBody }: { readBody: () => Promise<Uint8Array> }) => ({
      status: 200,
      body: `${(await readBody()).length}`,
    });
    listener.router.route('POST', '/', handler, { bodyBytesMax: 100_000 });
    const statuses: number[] = [];
    for (const size of [100_000, 100_001]) {
      statuses.push((await fetch(url, { method: 'POST', body: Buffer.alloc(size) })).status);
      const stream = new ReadableStream({
        start(controller) {
          for (let left = size; left > 0; left -= 1000)
            controller.enqueue(Buffer.alloc(Math.min(1000, left)));
          controller.close();
        },
      });
      const init: RequestInit & { duplex: 'half' } = { method: 'POST', body: stream, duplex: 'half' };
      statuses.push((await fetch(url, init)).status);
    }
    expect(statuses).toEqual([200, 200, 413, 413]);
  });

  test('HttpError is the answer, any other error is a bare 500', async () => {
    const { listener, url, errors } = await serve();
    listener.router.route('GET', '/known', () => {
      throw new HttpError(418, 'short and stout', { 'x-pot': 'tea' });
    });
    listener.router.route('GET', '/unknown', async () => {
      throw new Error('the secret of the stack');
    });
    const known = await fetch(`${url}/known`);
    expect([known.status, known.headers.get('x-pot'), await known.text()]).toEqual([
      418,
      'tea',
      'short and stout',
    ]);
    const unknown = await fetch(`${url}/unknown`);
    expect([unknown.status, await unknown.text()]).toEqual([500, 'internal error']);
    expect(errors).toEqual(['GET /unknown: Error: the secret of the stack']);
  });

  test('a stream arrives piece by piece, and ends when the client goes away', async () => {
    const { listener, url } = await serve();
    let isReturned = false;
    let returned = (): void => {};
    const done = new Promise<void>((resolve) => void (returned = resolve));
    listener.router.route('GET', '/logs', ({ signal }) => ({
      status: 200,
      body: (async function* () {
        try {
          yield 'first\n';
          yield Buffer.from('second\n');
          // Nothing more comes until the client leaves.
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        } finally {
          isReturned = true;
          returned();
        }
      })(),
    }));
    const abort = new AbortController();
    const response = await fetch(`${url}/logs`, { signal: abort.signal });
    let text = '';
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk as Uint8Array).toString();
      if (text === 'first\nsecond\n') break;
    }
    abort.abort();
    await done;
    expect(isReturned).toBe(true);
  });

  test('a stream that throws cuts the connection instead of ending the answer', async () => {
    const { listener, url, errors } = await serve();
    listener.router.route('GET', '/', () => ({
      status: 200,
      body: (async function* () {
        yield 'part';
        throw new Error('the disk is gone');
      })(),
    }));
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
    expect(errors).toEqual(['GET /: Error: the disk is gone']);
  });
});

describe('CORS', () => {
  test('a preflight is 204 with what is allowed, and every answer may be read', async () => {
    const { listener, url } = await serve();
    const { router } = listener;
    router.route('GET', '/v1/a', () => ok, { cors: corsAnyOrigin });
    router.route(
      'POST',
      '/v1/a',
      () => {
        throw new Error('broken');
      },
      { cors: corsAnyOrigin },
    );
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const preflight = await fetch(`${url}/v1/a`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD, OPTIONS, POST');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, accept, content-type');
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await fetch(`${url}/v1/a`, { method, headers: { origin: 'https://app.example' } });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
    }
  });

  test('a list of origins names only its own', async () => {
    const { listener, url } = await serve();
    const cors = { origins: ['https://good.example'], headers: [] };
    listener.router.route('GET', '/', () => ok, { cors });
    const originOf = async (origin: string): Promise<string | null> =>
      (await fetch(url, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await originOf('https://good.example')).toBe('https://good.example');
    expect(await originOf('https://bad.example')).toBeNull();
  });

  test('a route without a policy allows nothing', async () => {
    const { listener, url } = await serve();
    listener.router.route('GET', '/', () => ok);
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    const preflight = await fetch(url, { method: 'OPTIONS', headers });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});
