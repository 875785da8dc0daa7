import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import { Client } from './client.js';
import type { HttpReply } from './platform.js';
import { platform } from './platform.js';

/* A client over a network that the test plays: each poll hangs until the test answers, fails or forgets it. */

interface Pending {
  readonly method: string;
  readonly body: string | undefined;
  resolve(reply: HttpReply): void;
  reject(error: Error): void;
}

const original = { ...platform };

function fakeNetwork(): Pending[] {
  const pending: Pending[] = [];
  platform.makeLink = () => ({
    request: ({ method, body, signal }) =>
      new Promise((resolve, reject) => {
        const entry = { method, body, resolve, reject };
        pending.push(entry);
        signal.addEventListener('abort', () => {
          const at = pending.indexOf(entry);
          if (at >= 0) pending.splice(at, 1);
          reject(new Error('aborted'));
        });
      }),
    openWebSocket: () => {
      throw new Error('not here');
    },
    close() {},
  });
  return pending;
}

const OPEN = '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100}';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await Promise.resolve();
};

type Action = 'connect' | 'disconnect' | 'abort' | 'answer' | 'fail' | 'goodbye' | 'status' | 'send';

describe('the lifecycle', () => {
  afterEach(() => {
    Object.assign(platform, original);
  });

  it('tells of one end for each beginning, whatever happens in whatever order', async () => {
    const actions = fc.array(
      fc.constantFrom<Action>(
        'connect',
        'disconnect',
        'abort',
        'answer',
        'fail',
        'goodbye',
        'status',
        'send',
      ),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(actions, async (sequence) => {
        const pending = fakeNetwork();
        const client = new Client({ logger: { info() {}, error() {} }, requestTimeoutMs: 60_000 });
        const trace: string[] = [];
        client.on('connect', () => void trace.push('connect'));
        client.on('disconnect', () => void trace.push('disconnect'));
        for (const action of sequence) {
          const take = (): Pending | undefined => pending.shift();
          if (action === 'connect')
            void client.connect('http://nowhere', { transports: 'polling' }).catch(() => {});
          else if (action === 'disconnect') void client.disconnect();
          else if (action === 'abort') void client.disconnect({ abort: true });
          else if (action === 'send') void client.send('x').catch(() => {});
          else if (action === 'fail') take()?.reject(new Error('broken'));
          else if (action === 'status') take()?.resolve({ status: 400, body: '{}' });
          else {
            const entry = take();
            const isHandshake = client.state === 'connecting';
            const body =
              entry?.method === 'POST' ? 'ok' : isHandshake ? OPEN : action === 'goodbye' ? '1' : '4hi';
            entry?.resolve({ status: 200, body });
          }
          await settle();
          const open = trace.filter((line) => line === 'connect').length;
          const closed = trace.filter((line) => line === 'disconnect').length;
          expect(open - closed).toBe(client.state === 'connected' ? 1 : 0);
          expect(trace.every((line, i) => line === (i % 2 === 0 ? 'connect' : 'disconnect'))).toBe(true);
          expect(client.sid === null).toBe(!['connected', 'disconnecting'].includes(client.state));
        }
        await client.disconnect({ abort: true });
        await client.wait();
        expect(client.state).toBe('disconnected');
        expect(pending).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
