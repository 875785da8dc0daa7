import { describe, expect, it, onTestFinished } from 'vitest';

import { AsyncClient } from '../../../src/protocols/engineio/client/index.node.js';
import { serveEcho } from '../../engineio-peer.js';
import { openEnvironmentIfWanted } from '../environment.js';
import { runPython } from '../python-run.js';

/* python-engineio's clients against our server, and our client against its server. Part of `npm run interop:python` only. */

const python = await openEnvironmentIfWanted();

describe.skipIf(python === undefined)('python-engineio', () => {
  it.each([
    ['AsyncClient', 'polling'],
    ['AsyncClient', 'websocket'],
    ['AsyncClient', 'polling,websocket'],
    ['Client', 'polling'],
    ['Client', 'websocket'],
    ['Client', 'polling,websocket'],
  ])('%s against our server over %s: bursts of 43, octets, heartbeats', async (kind, transports) => {
    const { url, trace, errors } = await serveEcho({ pingIntervalMs: 500, pingTimeoutMs: 1000 });
    const script = runPython(python!, 'engineio/client.py', url, transports, kind);
    expect(await script.line('received')).toBe('88 right');
    expect(await script.line('transport')).toBe(transports.split(',').at(-1));
    expect(await script.ended).toBe(0);
    await expect.poll(() => trace.at(-1)).toMatch(/^- transport (close|error)$/);
    expect(errors).toEqual([]);
  });

  it.each(['polling', 'websocket', 'polling,websocket'])(
    'AsyncServer with our client over %s: bursts of 43, octets, heartbeats, both ends',
    async (transports) => {
      const server = runPython(python!, 'engineio/server.py');
      const url = `http://127.0.0.1:${await server.line('port')}`;
      const client = new AsyncClient({ handle_sigint: false });
      onTestFinished(() => client.disconnect({ abort: true }));
      const received: unknown[] = [];
      const trace: string[] = [];
      client.on('message', (data) => void received.push(data));
      client.on('disconnect', (reason) => void trace.push(reason));
      await client.connect(url, { transports: transports.split(',') });
      await client.send('hello €');
      await client.send(Uint8Array.of(1, 2, 3));
      await client.send('burst 43');
      for (let i = 0; i < 43; i++) await client.send(`own ${i}`);
      await expect.poll(() => received.length, { timeout: 10_000 }).toBe(88);
      const numbered = (word: string): string[] => Array.from({ length: 43 }, (_, i) => `${word} ${i}`);
      // Each message has a task of its own there, so that a burst and what comes behind it may mix.
      const bursts = received.filter((text) => String(text).startsWith('burst'));
      expect(received.slice(0, 2)).toEqual(['hello €', Uint8Array.of(1, 2, 3)]);
      expect(bursts).toEqual(numbered('burst'));
      expect(received.slice(2).filter((text) => !bursts.includes(text))).toEqual(numbered('own'));
      const startMs = performance.now();
      await expect.poll(() => performance.now() - startMs > 4000, { timeout: 10_000 }).toBe(true);
      expect(trace).toEqual([]);
      await client.disconnect();
      expect(trace).toEqual(['client disconnect']);
      await client.connect(url, { transports: transports.split(',') });
      await client.send('close');
      await client.wait();
      expect(trace.at(-1)).toMatch(/^(server disconnect|transport error)$/);
    },
  );
});
